import "./elements/stepcast-app.ts";

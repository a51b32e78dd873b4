import "./theme.ts";
import "./elements/stepcast-app.ts";

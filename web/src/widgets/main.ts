import "./stepcast-status.ts";

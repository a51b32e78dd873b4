import "./stepcast-board.ts";
import "./stepcast-log.ts";
import "./stepcast-status.ts";
import "./stepcast-steps.ts";

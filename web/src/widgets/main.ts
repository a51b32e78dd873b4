import "./stepcast-board.ts";
import "./stepcast-status.ts";

import "../elements/theme-button.ts";
import "../theme.ts";
import "./embed-gallery.ts";
import "./gallery.css";
import { leadBack } from "../sign-in-here.ts";

leadBack(document);

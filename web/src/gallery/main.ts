import "../elements/theme-button.ts";
import "../theme.ts";
import "./embed-gallery.ts";
import "./gallery.css";

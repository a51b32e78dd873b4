import { prefs } from "./prefs.ts";

/** Shows the document in the theme that was chosen; without a choice in the system's. */
function show(): void {
	const theme = prefs.get("theme");
	if (theme === "auto") delete document.documentElement.dataset.theme;
	else document.documentElement.dataset.theme = theme;
}

prefs.addEventListener("change", show);
show();

// Gives the frames of https://ci.example on this page the height that they say they have.
addEventListener("message", ({ origin, source, data }) => {
	if (origin !== "https://ci.example" || data?.type !== "stepcast:height") return;
	for (const frame of document.querySelectorAll("iframe")) {
		if (frame.contentWindow === source) frame.height = Math.min(data.height, 10_000);
	}
});
// Those that are there already have perhaps said it before anybody listened.
for (const frame of document.querySelectorAll("iframe")) {
	frame.contentWindow.postMessage({ type: "stepcast:ask" }, "*");
}

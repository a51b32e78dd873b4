/**
 * What a frame of /embed/… runs: the elements, whose logs come through shared-hub.ts. It tells the page
 * that it is in how high it is, when that changes and whenever it is asked. The height is in CSS pixels,
 * and no secret, so any page may know.
 */
import "../widgets/main.ts";
import "./frame.css";

function tell(): void {
	const height = Math.ceil(document.body.getBoundingClientRect().height);
	parent.postMessage({ type: "stepcast:height", height }, "*");
}

if (parent !== window) {
	new ResizeObserver(tell).observe(document.body);
	addEventListener("message", ({ source, data }: MessageEvent<unknown>) => {
		if (source === parent && (data as { type?: unknown } | null)?.type === "stepcast:ask") tell();
	});
}

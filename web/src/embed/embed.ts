/**
 * /embed.js, for a page with frames of /embed/…: gives each the height that it says it has. It touches no
 * other frame, believes no other origin, and may be loaded twice, before or after its frames.
 */
{
	const most = 10_000;
	const script = document.currentScript as HTMLScriptElement | null;
	const { origin } = new URL(script?.src ?? location.href);
	const ours = ({ src }: HTMLIFrameElement) => src.startsWith(`${origin}/embed/`);
	const frames = () => [...document.querySelectorAll("iframe")].filter(ours);

	addEventListener("message", (message: MessageEvent<unknown>) => {
		if (message.origin !== origin) return;
		const { type, height } = Object(message.data) as { type?: unknown; height?: unknown };
		if (type !== "stepcast:height" || typeof height !== "number") return;
		for (const frame of frames()) {
			if (frame.contentWindow !== message.source) continue;
			const border = frame.offsetHeight - frame.clientHeight;
			frame.style.height = `${Math.min(height, most) + border}px`;
		}
	});
	// Those that are there have perhaps said it already.
	for (const frame of frames()) frame.contentWindow?.postMessage({ type: "stepcast:ask" }, "*");
}

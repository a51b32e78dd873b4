/** Where one signs in, or out, to come back to this very place. */
export function signInHere(): string {
	return `/sign-in?back=${encodeURIComponent(location.href.slice(location.origin.length))}`;
}

/** Has the links to where one signs in, or out, lead back from there to where one was when one followed them. */
export function leadBack(links: EventTarget): void {
	links.addEventListener("click", (event) => {
		const [link] = event.composedPath() as HTMLAnchorElement[];
		if (link?.pathname === "/sign-in") link.href = signInHere();
	});
}

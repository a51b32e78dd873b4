import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

const chromium = process.env.STEPCAST_CHROMIUM ?? "/usr/bin/chromium";
const root = process.getuid?.() === 0;

/**
 * What of the browser is off: the pages that it draws its own address field with, which nobody sees
 * and which took a quarter of all processor time here; a process made in advance of each page, for
 * the next one, which took a seventh of the rest; and again what Playwright switches off, since the
 * last list counts.
 */
const off = [
	"WebUIOmniboxPopup",
	"WebUIOmniboxAimPopup",
	"AimEnabled",
	"SpareRendererForSitePerProcess",
	"AvoidCorsURLLoaderRestartOnRedirect",
	"AvoidUnnecessaryBeforeUnloadCheckSync",
	"DestroyProfileOnBrowserClose",
	"HttpsFirstBalancedModeAutoEnable",
	"HttpsUpgrades",
	"LensOverlay",
	"MediaRouter",
	"NetworkTimeServiceQuerying",
	"OptimizationHints",
	"PaintHolding",
	"PreconnectToSearch",
	"TcpPortRandomizationWin",
	"ThirdPartyStoragePartitioning",
];

export default defineConfig({
	testDir: "e2e",
	outputDir: "test-results",
	// Each with a server and a browser of its own. They wait for one another much of the time: three keep
	// two cores busy.
	workers: 3,
	fullyParallel: false,
	timeout: 60_000,
	expect: { timeout: 15_000 },
	reporter: process.env.CI ? "line" : "list",
	use: {
		viewport: { width: 1440, height: 900 },
		screenshot: "only-on-failure",
		launchOptions: {
			// The system's Chromium where there is one, else Playwright's own.
			...(existsSync(chromium) ? { executablePath: chromium } : {}),
			// Chromium's sandbox refuses root. For tests only.
			args: [`--disable-features=${off.join()}`, ...(root ? ["--no-sandbox"] : [])],
		},
	},
});

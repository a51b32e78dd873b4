//go:build linux

package main

// rows is all that is measured, with its targets. Lines are what a build
// prints: see lineWriter.
var rows = []row{
	{
		name:  "ingest",
		about: `200-line posts from 8 connections, against psql's \copy of the same lines into a keyed table`,
		figures: []figure{
			{name: `ingest, 200-line posts / \copy`, unit: "lines/s", limit: 0.9},
		},
		measure: measureIngest,
	},
	{
		name:  "singles",
		about: "32 clients posting single lines, against 32 connections that insert one row a transaction",
		figures: []figure{
			{name: "single-line posts / INSERTs", unit: "a second", limit: 0.5},
			{name: "shared commits / a commit each", unit: "posts/s", limit: 1.5},
		},
		measure: measureSingles,
	},
	fanoutRow("fanout-1000", 1000, 20, 1.6),
	fanoutRow("fanout-200", 200, 400, 0.8),
	fanoutRow("fanout-5000", 5000, 4, 1.3),
	{
		name:  "memory",
		about: "memory of an idle reader on a fresh server",
		figures: []figure{
			{name: "idle reader, of 1,000", unit: "KiB", limit: 32, atMost: true, alone: true},
			{name: "idle reader, of 5,000", unit: "KiB", limit: 32, atMost: true, alone: true},
		},
		measure: measureMemory,
	},
	{
		name:  "widgets",
		about: "2,000 streams of the feed, each of a few of 200 projects, 50 changes a second: CPU a delivered change, against a bare loop of write(2) over as many sockets; and all of them back after a restart",
		figures: []figure{
			{name: "widgets, a delivered change", unit: "µs", limit: 4, atMost: true},
			{name: "widgets, acknowledged to seen, p50", unit: "ms", limit: 5, atMost: true, alone: true},
			{name: "widgets, acknowledged to seen, p99", unit: "ms", limit: 40, atMost: true, alone: true},
			{name: "widgets, idle", unit: "KiB", limit: 40, atMost: true, alone: true},
			{name: "widgets, opened to live, p99", unit: "ms", limit: 1000, atMost: true, alone: true},
			{name: "widgets, resumed to live, p99", unit: "ms", limit: 500, atMost: true, alone: true},
		},
		measure: measureWidgets,
	},
	{
		name:  "replay",
		about: `a whole build to one reader, against \copy … to of the same lines stored one a row`,
		figures: []figure{
			{name: `replay / \copy to`, unit: "s", limit: 0.7, atMost: true},
		},
		measure: measureReplay,
	},
	{
		name:  "search",
		about: "lines that match in a coloured log of a million, counted by a search, against SELECT count(*) … LIKE over the same lines stored one a row",
		figures: []figure{
			{name: "search / LIKE", unit: "s", limit: 2, atMost: true},
			{name: "search without case / ILIKE", unit: "s", limit: 1, atMost: true},
		},
		measure: measureSearch,
	},
	{
		name:  "latency",
		about: "from the sent request to the reader: 20 builds with 5 readers each, 20,000 lines/s in all",
		figures: []figure{
			{name: "sent to seen, p50", unit: "ms", limit: 10, atMost: true, alone: true},
			{name: "sent to seen, p99", unit: "ms", limit: 40, atMost: true, alone: true},
		},
		measure: measureLatency,
	},
	{
		name:  "siege",
		about: "posts of 20 builds, 20,000 lines/s in all, beside an assault from one address, against the same without: 1,000 sockets, streams and idle ones, that come back; 500 bodies that trickle; 10 GiB in gzip and in zstd, each five times a second",
		figures: []figure{
			{name: "acknowledged beside 1,000 sockets, p99", unit: "ms", limit: 1.5, atMost: true},
			{name: "acknowledged beside 500 trickles, p99", unit: "ms", limit: 1.5, atMost: true},
			{name: "acknowledged beside bombs, p99", unit: "ms", limit: 2, atMost: true},
			{name: "until all trickles are closed", unit: "s", limit: 7, atMost: true, alone: true},
			{name: "memory beside all that, at its peak", unit: "MiB", limit: 2, atMost: true, most: 200},
		},
		measure: measureSiege,
	},
	{
		name:  "disk",
		about: "bytes on disk a line of about 120 bytes, posted 200 at a time",
		figures: []figure{
			{name: "disk, a line", unit: "bytes", limit: 40, atMost: true, alone: true},
		},
		once:    true,
		measure: measureDisk,
	},
	{
		name:  "run",
		about: "`stepcast run` with a server around a command that prints 100,000 lines of 128 bytes a second into a pipe, against the command alone",
		figures: []figure{
			{name: "stepcast run, paced output", unit: "s", limit: 1.03, atMost: true},
		},
		measure: measurePaced(true),
	},
	{
		name:  "run-away",
		about: "the same with a server that is away, and no wait for it at the end",
		figures: []figure{
			{name: "stepcast run, no server", unit: "s", limit: 1.02, atMost: true},
		},
		measure: measurePaced(false),
	},
	{
		name:  "run-pass",
		about: "output of a command that prints as fast as it can through `stepcast run` with a server, into a pipe",
		figures: []figure{
			{name: "stepcast run, pass-through", unit: "MB/s", limit: 80, alone: true},
		},
		measure: measurePass,
	},
	{
		name:  "pages",
		about: "a build with a step of a million coloured lines in a real Chromium: opened, one line looked up, searched and scrolled, against bare pages that get the same from the same server",
		figures: []figure{
			{name: "page opened / static page of its last 1,000 lines", unit: "ms", limit: 4, atMost: true, most: 1500},
			{name: "line looked up / fetched and put into a bare page", unit: "ms", limit: 4, atMost: true, most: 300},
			{name: "search to the count / its request alone", unit: "ms", limit: 2, atMost: true, most: 1000},
			{name: "longest task while scrolling", unit: "ms", limit: 100, atMost: true, alone: true},
			{name: "most processor time of a task while scrolling", unit: "ms", limit: 100, atMost: true, alone: true},
			{name: "JavaScript heap, page and worker", unit: "MB", limit: 150, atMost: true, alone: true},
		},
		measure: measurePages,
	},
	{
		name:  "pages-live",
		about: "a step of 5,000 lines/s followed by a build's page in a real Chromium, against a bare page on the same stream",
		figures: []figure{
			{name: "acknowledged to seen, p95 / bare page", unit: "ms", limit: 5, atMost: true, most: 250},
			{name: "acknowledged to seen, at the end", unit: "ms", limit: 500, atMost: true, alone: true},
		},
		once:    true,
		measure: measurePagesLive,
	},
}

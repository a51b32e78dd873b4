/** How to report a first build to the server at an origin such as "https://stepcast.example.com". */
export interface Snippet {
	readonly name: string;
	/** What has to be true for it to work as it stands. */
	readonly about: string;
	readonly text: string;
}

const loopback = /^http:\/\/(localhost|127\.0\.0\.1|\[::1\])(:|$)/;

export function snippets(origin: string): readonly Snippet[] {
	return [client(origin), curl(origin), github(origin)];
}

/** The client finds the token of a server on its own machine; scripts/build leaves it in bin. */
function client(origin: string): Snippet {
	if (loopback.test(origin)) {
		return {
			name: "With the client",
			about: "In Stepcast’s own folder, or with stepcast on the PATH.",
			text: `PATH="$PATH:$PWD/bin" stepcast run --url ${origin} --project hello -- echo hello`,
		};
	}
	return {
		name: "With the client",
		about: "With stepcast on the PATH, and a token that stepcast token made.",
		text: `export STEPCAST_URL=${origin} STEPCAST_TOKEN=stp_…
stepcast run --project hello -- echo hello`,
	};
}

function curl(origin: string): Snippet {
	return {
		name: "With curl",
		about: "The server says at its start where its first token lies.",
		text: `export STEPCAST_URL=${origin} STEPCAST_TOKEN=$(cat path/to/token)
auth="Authorization: Bearer $STEPCAST_TOKEN" json='Content-Type: application/json'
build=$(cat /proc/sys/kernel/random/uuid 2>/dev/null || uuidgen)
curl -sS "$STEPCAST_URL/api/v1/builds" -H "$auth" -H "$json" \\
  -d "{\\"id\\":\\"$build\\",\\"project\\":\\"hello\\"}"
curl -sS "$STEPCAST_URL/api/v1/builds/$build/updates" -H "$auth" -H "$json" -d '{"updates":[
  {"step":{"key":"greet","status":"running"}},
  {"log":{"step":"greet","offset":0,"text":"hello\\n"}},
  {"step":{"key":"greet","status":"passed","exit_code":0}},
  {"build":{"status":"passed"}}]}'`,
	};
}

function github(origin: string): Snippet {
	return {
		name: "In a CI system",
		about: "In GitHub Actions; others need as little.",
		text: `env:
  STEPCAST_URL: ${origin}
  STEPCAST_TOKEN: \${{ secrets.STEPCAST_TOKEN }}
jobs:
  test:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - run: stepcast run -- make test
  stepcast:
    needs: [test]
    if: always()
    runs-on: ubuntu-latest
    steps:
      - run: stepcast build finish --status auto`,
	};
}

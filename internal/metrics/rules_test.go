package metrics

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"testing"
)

// The rules that an operator is given wake somebody for what lasts, and for no
// restart: a process that starts or goes away answers /readyz with 503, and
// while PostgreSQL restarts so is everything.
func TestRules_WakeNobodyForARestart(t *testing.T) {
	t.Parallel()
	promtool, err := exec.LookPath("promtool")
	if err != nil {
		t.Fatal("promtool is needed, which checks rules; it is in Debian's package prometheus")
	}
	manual, err := os.ReadFile("../../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	rules := regexp.MustCompile("(?s)```yaml\n(groups:.*?)```").FindSubmatch(manual)
	if rules == nil {
		t.Fatal("docs/operating.md has no rules")
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "rules.yml"), rules[1], 0o600); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct{ name, route, values, wakes string }{
		{"a process", "/readyz", "1x10 2 3 1x40", ""}, // a scrape every 15 s; the counter begins anew
		{"PostgreSQL", "/api/v1/builds/:id/updates", "0x10 40 80 80x40", ""},
		{"a database that is away", "/api/v1/builds/:id/updates", "0x10 1+1x40", "{exp_labels: {alertname: StepcastFails, instance: a}}"},
	} {
		path := filepath.Join(dir, "test.yml")
		if err := os.WriteFile(path, fmt.Appendf(nil, `
rule_files: [rules.yml]
evaluation_interval: 15s
tests:
  - interval: 15s
    input_series:
      - series: 'stepcast_http_requests_total{job="stepcast",instance="a",route="%s",method="GET",class="5xx"}'
        values: '%s'
    alert_rule_test:
      - {alertname: StepcastFails, eval_time: 7m30s, exp_alerts: []}
      - {alertname: StepcastFails, eval_time: 8m, exp_alerts: [%[3]s]}
      - {alertname: StepcastFails, eval_time: 10m, exp_alerts: [%[3]s]}
`, test.route, test.values, test.wakes), 0o600); err != nil {
			t.Fatal(err)
		}
		if out, err := exec.Command(promtool, "test", "rules", path).CombinedOutput(); err != nil {
			t.Errorf("%s: %v\n%s", test.name, err, out)
		}
	}
}

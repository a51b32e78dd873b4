//go:build linux

package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"
	"time"
)

func main() {
	if role := os.Getenv(roleVariable); role != "" {
		exit(runRole(role))
		return
	}
	bin := flag.String("server", "bin/stepcast", "the program under test")
	rounds := flag.Int("rounds", 3, "rounds of each row; the table shows the median")
	quick := flag.Bool("quick", false, "a tenth of the load, one round: shows that it works, not how fast")
	web := flag.String("web", "web", "the folder of the pages, for the browser of the rows pages and pages-live")
	page := flag.String("page", "", "also write the table into this file, as a page of the documentation")
	runFlags := flag.String("run-flags", "", "more flags for the stepcast run of the rows run, run-away and run-pass, apart by blanks")
	flag.Usage = usage
	flag.Parse()
	chosen, err := choose(flag.Args())
	exit(err)
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer cancel()
	b := &bench{bin: *bin, web: *web, runFlags: strings.Fields(*runFlags), size: full, progress: os.Stderr}
	if *quick {
		b.size, *rounds = small, 1
	}
	results, err := b.run(ctx, chosen, *rounds)
	print(os.Stdout, results)
	exit(err)
	if *page != "" {
		exit(writePage(*page, results))
	}
	for _, r := range results {
		if !r.ok() {
			os.Exit(2)
		}
	}
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func usage() {
	out := flag.CommandLine.Output()
	fmt.Fprintln(out, "usage: bench [flags] [row …]\n\nMeasures the server against references on this machine. Ends with 2 when a\nfigure misses its target. Rows, all by default:")
	for _, r := range rows {
		fmt.Fprintf(out, "  %-12s %s\n", r.name, r.about)
	}
	fmt.Fprintln(out, "\nFlags:")
	flag.PrintDefaults()
}

// A row measures one thing of the server and its reference, and yields one or
// more figures.
type row struct {
	name, about string
	figures     []figure
	once        bool // what it measures is the same in every round
	measure     func(ctx context.Context, r *round) ([]value, error)
}

// figure is one line of the table.
type figure struct {
	name   string
	unit   string  // of what was measured, and of its reference
	limit  float64 // of the ratio, or of the figure itself when it has no reference
	atMost bool    // else at least
	alone  bool    // there is no reference
	most   float64 // of the figure itself, in its unit, beside the limit of its ratio; 0: any will do
}

// value is a figure as measured in one round.
type value struct {
	got, reference float64
	ratio          float64
	skipped        string // why there is none
	note           string // what else was seen

	others float64 // the part of the machine that other programs used, 0 to 1
}

// bench measures rows.
type bench struct {
	bin      string // the program under test
	web      string // the folder of the pages
	runFlags []string
	size     size
	progress io.Writer
}

// size is how much load there is.
type size struct {
	lines    int           // of the bulk rows
	duration time.Duration // of the paced rows
	readers  int           // divides the numbers of readers
}

var (
	full  = size{lines: 1_000_000, duration: 6 * time.Second, readers: 1}
	small = size{lines: 100_000, duration: time.Second, readers: 10}
	tiny  = size{lines: 4_000, duration: 200 * time.Millisecond, readers: 100}
)

// round is one measurement of a row, with a folder of its own.
type round struct {
	*bench
	dir string
}

// result is what became of a figure in all rounds.
type result struct {
	row row
	figure
	value           // of the round with the median ratio
	lowest, highest float64
}

func (r *result) ok() bool {
	if r.skipped != "" {
		return true
	}
	if r.most > 0 && r.got > r.most {
		return false
	}
	if r.atMost {
		return r.ratio <= r.limit
	}
	return r.ratio >= r.limit
}

// run measures each row so many times, and returns the results of all their
// figures. Rows that were measured before an error are in the results.
func (b *bench) run(ctx context.Context, chosen []row, rounds int) ([]result, error) {
	// The load generator shares the cores; its heap is large and lives long.
	debug.SetGCPercent(400)
	if err := manyFiles(12_000 / uint64(b.size.readers)); err != nil {
		return nil, err
	}
	if _, err := exec.LookPath(b.bin); err != nil {
		return nil, fmt.Errorf("there is no server to measure at %s: build it with scripts/build", b.bin)
	}
	dir, err := os.MkdirTemp("", "stepcast-bench-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	// PostgreSQL may run as another user, who has to get in.
	if err := os.Chmod(dir, 0o755); err != nil {
		return nil, err
	}
	var results []result
	for _, row := range chosen {
		n := rounds
		if row.once {
			n = 1
		}
		var values [][]value
		for i := range n {
			start := time.Now()
			r := &round{bench: b, dir: filepath.Join(dir, fmt.Sprint(row.name, i))}
			before, err := lookAtMachine()
			if err != nil {
				return results, err
			}
			v, err := row.measure(ctx, r)
			os.RemoveAll(r.dir)
			if err = cmp.Or(ctx.Err(), err); err != nil {
				return results, fmt.Errorf("%s: %w", row.name, err)
			}
			others, err := before.othersSince()
			if err != nil {
				return results, err
			}
			for k := range v {
				v[k].others = others
			}
			values = append(values, v)
			fmt.Fprintf(b.progress, "%s, round %d of %d, %.0f s, others %.0f %%:", row.name, i+1, n, time.Since(start).Seconds(), 100*others)
			for k, f := range row.figures {
				fmt.Fprintf(b.progress, "  %s", v[k].format(f))
			}
			fmt.Fprintln(b.progress)
			runtime.GC()
		}
		for k, f := range row.figures {
			result := summarize(f, values, k)
			result.row = row
			results = append(results, result)
		}
	}
	return results, nil
}

func (v value) format(f figure) string {
	switch {
	case v.skipped != "":
		return f.name + " skipped"
	case f.alone:
		return fmt.Sprintf("%s %.4g %s", f.name, v.ratio, f.unit)
	}
	return fmt.Sprintf("%s %.2f", f.name, v.ratio)
}

func summarize(f figure, rounds [][]value, k int) result {
	values := make([]value, len(rounds))
	for i := range rounds {
		values[i] = rounds[i][k]
	}
	slices.SortFunc(values, func(a, b value) int { return cmp.Compare(a.ratio, b.ratio) })
	return result{figure: f, value: values[(len(values)-1)/2], lowest: values[0].ratio, highest: values[len(values)-1].ratio}
}

// print shows the table, and below it what the rounds had to add.
func print(out io.Writer, results []result) {
	if len(results) == 0 {
		return
	}
	fmt.Fprintln(out)
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "FIGURE\tSERVER\tREFERENCE\tRATIO (LOWEST TO HIGHEST)\tOTHERS\tTARGET\t")
	for _, r := range results {
		target, verdict := r.target(), "ok"
		if !r.ok() {
			verdict = "MISSED"
		}
		switch {
		case r.skipped != "":
			fmt.Fprintf(table, "%s\tnot measured\t\t\t\t%s\t\n", r.name, target)
		case r.alone:
			fmt.Fprintf(table, "%s\t%s %s\t\t(%.4g to %.4g)\t%.0f %%\t%s\t%s\n", r.name, amount(r.got), r.unit, r.lowest, r.highest, 100*r.others, target, verdict)
		default:
			fmt.Fprintf(table, "%s\t%s %s\t%s %s\t%.2f (%.2f to %.2f)\t%.0f %%\t%s\t%s\n",
				r.name, amount(r.got), r.unit, amount(r.reference), r.unit, r.ratio, r.lowest, r.highest, 100*r.others, target, verdict)
		}
	}
	table.Flush()
	fmt.Fprintln(out)
	for _, r := range results {
		if note := cmp.Or(r.skipped, r.note); note != "" {
			fmt.Fprintf(out, "%s: %s\n", r.name, note)
		}
	}
}

func (r *result) target() string {
	sign := "≥"
	if r.atMost {
		sign = "≤"
	}
	target := fmt.Sprintf("%s %.4g", sign, r.limit)
	if r.most > 0 {
		target += fmt.Sprintf(", ≤ %s %s", amount(r.most), r.unit)
	}
	return target
}

// amount shows three digits or more, and thousands apart.
func amount(x float64) string {
	if x < 1000 {
		return fmt.Sprintf("%.3g", x)
	}
	digits := fmt.Sprintf("%.0f", x)
	for i := len(digits) - 3; i > 0; i -= 3 {
		digits = digits[:i] + "," + digits[i:]
	}
	return digits
}

func choose(names []string) ([]row, error) {
	if len(names) == 0 {
		return rows, nil
	}
	var chosen []row
	for _, name := range names {
		i := slices.IndexFunc(rows, func(r row) bool { return r.name == name })
		if i < 0 {
			var known []string
			for _, r := range rows {
				known = append(known, r.name)
			}
			return nil, errors.New("there is no row " + name + "; there are " + strings.Join(known, ", "))
		}
		chosen = append(chosen, rows[i])
	}
	return chosen, nil
}

// startServer starts a server in the round's folder.
func (r *round) startServer(ctx context.Context) (*server, error) {
	return r.startServerAt(ctx, "server")
}

// startServerAt starts one on a data directory of that name, with settings.
func (r *round) startServerAt(ctx context.Context, name string, env ...string) (*server, error) {
	return startServer(ctx, r.bin, filepath.Join(r.dir, name), env...)
}

// startReference starts a PostgreSQL in the round's folder.
func (r *round) startReference(ctx context.Context) (*reference, error) {
	return startReference(ctx, filepath.Join(r.dir, "reference"))
}

package main

import (
	"context"
	"fmt"
	"hash/fnv"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	"monitor/tools/servers"
)

// scenario is one fault under load and what must hold.
type scenario struct {
	name  string
	holds string
	run   func(context.Context, *world) error
}

// outcome is how one scenario ended.
type outcome struct {
	scenario scenario
	took     time.Duration
	numbers  []string
	findings []string
	late     bool // all findings are times beyond their bounds
	folder   string
}

// bench runs scenarios.
type bench struct {
	options
	out      io.Writer
	dir      string
	template string // a PostgreSQL cluster to copy
	began    time.Time

	mu       sync.Mutex
	outcomes map[string]outcome
	order    []string
}

func newBench(ctx context.Context, o options, out io.Writer) (*bench, error) {
	dir, err := servers.TempDir("monitor-faults-")
	if err != nil {
		return nil, err
	}
	b := &bench{options: o, out: out, dir: dir, began: time.Now(), outcomes: map[string]outcome{}}
	b.template = filepath.Join(dir, "template")
	b.say("seed %d, folder %s", o.seed, dir)
	if err := servers.InitPostgres(ctx, b.template); err != nil {
		return nil, err
	}
	return b, nil
}

// close removes the run's folder unless something in it may be wanted.
func (b *bench) close(keep bool) error {
	if keep {
		return os.RemoveAll(b.template)
	}
	return os.RemoveAll(b.dir)
}

// say prints one line of progress.
func (b *bench) say(format string, args ...any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	_, _ = fmt.Fprintf(b.out, "%6.1fs  %s\n", time.Since(b.began).Seconds(), fmt.Sprintf(format, args...))
}

// runAll runs the scenarios, a few at a time and then those that need the machine for
// themselves, and reports whether one failed. One that was late beside others, and
// nothing else, runs again by itself: bounds are promises of the program, not of a
// machine on which three scenarios share two processors.
func (b *bench) runAll(ctx context.Context, chosen []scenario) (failed bool) {
	var together, alone []scenario
	for _, s := range chosen {
		b.order = append(b.order, s.name)
		if needsQuiet(s) {
			alone = append(alone, s)
		} else {
			together = append(together, s)
		}
	}
	b.runSome(ctx, together, b.parallel)
	for _, s := range together {
		if b.outcomes[s.name].late && b.parallel > 1 {
			alone = append(alone, s)
		}
	}
	b.runSome(ctx, alone, 1)
	for _, o := range b.outcomes {
		failed = failed || len(o.findings) > 0
	}
	return failed
}

func (b *bench) runSome(ctx context.Context, chosen []scenario, atOnce int) {
	next := make(chan scenario)
	var working sync.WaitGroup
	for range atOnce {
		working.Go(func() {
			for s := range next {
				b.runOne(ctx, s)
			}
		})
	}
	for _, s := range chosen {
		select {
		case next <- s:
		case <-ctx.Done():
		}
	}
	close(next)
	working.Wait()
}

func (b *bench) runOne(ctx context.Context, s scenario) {
	began := time.Now()
	o := outcome{scenario: s, folder: filepath.Join(b.dir, s.name)}
	if before, again := b.outcome(s.name); again {
		o.folder += "-again"
		o.numbers = append(o.numbers, "again, alone; beside others: "+strings.Join(before.findings, "; "))
	}
	b.say("%-18s begins", s.name)
	w, err := b.newWorld(ctx, s.name, o.folder)
	if err != nil {
		o.findings = append(o.findings, "the world could not be made: "+err.Error())
	} else {
		if err := s.run(ctx, w); err != nil {
			w.find("broken off: %v", err)
		}
		w.close()
		o.numbers, o.findings = append(o.numbers, w.numbers...), w.findings
		o.late = w.late > 0 && w.late == len(w.findings)
	}
	o.took = time.Since(began)
	verdict := "holds"
	if len(o.findings) > 0 {
		verdict = fmt.Sprintf("FAILS with %d findings, logs in %s", len(o.findings), o.folder)
	}
	b.say("%-18s %s after %.0f s", s.name, verdict, o.took.Seconds())
	for i, f := range o.findings {
		if i == 20 {
			b.say("%-18s … and %d more findings", s.name, len(o.findings)-i)
			break
		}
		b.say("%-18s ! %s", s.name, f)
	}
	if len(o.findings) == 0 && !b.keep {
		_ = os.RemoveAll(o.folder) // what is left of it goes with the run's folder
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.outcomes[s.name] = o
}

// outcome gives how a scenario ended that has run before.
func (b *bench) outcome(name string) (outcome, bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	o, ran := b.outcomes[name]
	return o, ran
}

// random gives a source of its own to each scenario, so that one can be replayed
// alone.
func (b *bench) random(name string) *rand.Rand {
	h := fnv.New64a()
	_, _ = h.Write([]byte(name)) // a hash takes all
	return newRandom(b.seed, h.Sum64())
}

func (b *bench) printTable() {
	table := tabwriter.NewWriter(b.out, 0, 0, 2, ' ', 0)
	set := "CI set"
	if b.long {
		set = "long set"
	}
	_, _ = fmt.Fprintf(table, "\n%s, seed %d, %.0f s\n\n", set, b.seed, time.Since(b.began).Seconds())
	for _, name := range b.order {
		o, ok := b.outcomes[name]
		switch {
		case !ok:
			_, _ = fmt.Fprintf(table, "%s\tnot run\n", name)
			continue
		case len(o.findings) > 0:
			_, _ = fmt.Fprintf(table, "%s\tFAILS\t%.0f s\t%d findings\n", name, o.took.Seconds(), len(o.findings))
		default:
			_, _ = fmt.Fprintf(table, "%s\tholds\t%.0f s\t%s\n", name, o.took.Seconds(), o.scenario.holds)
		}
		_, _ = fmt.Fprintf(table, "\t\t\t%s\n", strings.Join(o.numbers, "; "))
	}
	_ = table.Flush() // to the terminal; there is nowhere to say that it is gone
}

// newRandom repeats itself by its seeds.
func newRandom(seed1, seed2 uint64) *rand.Rand {
	return rand.New(rand.NewPCG(seed1, seed2))
}

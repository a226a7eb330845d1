// Command faults is the fault bench: it runs the built program as many real
// processes on a PostgreSQL and a Redis of its own, kills, stops, pauses and cuts
// them, and compares what the program stored and told with what targets,
// webhooks and mail servers saw. See doc.go for how it is built.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/redis/go-redis/v9"
)

// options of one run.
type options struct {
	binary   string
	only     string
	seed     uint64
	long     bool
	list     bool
	keep     bool
	parallel int
}

var errFailed = errors.New("a scenario failed")

func main() {
	redis.SetLogger(silent{}) // that servers are away is the point
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "faults:", err)
		os.Exit(1)
	}
}

type silent struct{}

func (silent) Printf(context.Context, string, ...any) {}

func run(ctx context.Context, args []string, out io.Writer) error {
	o, err := parseOptions(args)
	if err != nil {
		return err
	}
	chosen, err := choose(o.only)
	if err != nil {
		return err
	}
	if o.list {
		for _, s := range chosen {
			_, _ = fmt.Fprintf(out, "%-18s %s\n", s.name, s.holds)
		}
		return nil
	}
	if o.binary, err = filepath.Abs(o.binary); err != nil {
		return err
	}
	if _, err := os.Stat(o.binary); err != nil {
		return fmt.Errorf("%w (run `make faults`, which builds it with the tag faults)", err)
	}
	b, err := newBench(ctx, o, out)
	if err != nil {
		return err
	}
	failed := b.runAll(ctx, chosen)
	b.printTable()
	if err := b.close(failed || o.keep); err != nil {
		return err
	}
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if failed {
		return errFailed
	}
	return nil
}

func parseOptions(args []string) (options, error) {
	var o options
	flags := flag.NewFlagSet("faults", flag.ContinueOnError)
	flags.StringVar(&o.binary, "binary", "../bin/monitor-faults", "the program, built with the tag faults")
	flags.StringVar(&o.only, "only", "", "scenarios to run, comma-separated; a name that ends in - is the beginning of names")
	flags.Uint64Var(&o.seed, "seed", 0, "replays the plan of a run (0: a new one)")
	flags.BoolVar(&o.long, "long", false, "the long set: full times and rounds, at most 45 minutes")
	flags.BoolVar(&o.list, "list", false, "list the scenarios")
	flags.BoolVar(&o.keep, "keep", false, "keep the folders of scenarios that passed")
	flags.IntVar(&o.parallel, "parallel", 3, "scenarios at the same time, each with servers of its own")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.seed == 0 {
		o.seed = rand.Uint64()
	}
	if o.parallel < 1 {
		return o, errors.New("-parallel must be at least 1")
	}
	return o, nil
}

// choose gives the named scenarios in the order of the table.
func choose(only string) ([]scenario, error) {
	all := scenarios()
	if only == "" {
		return all, nil
	}
	var chosen []scenario
	for name := range strings.SplitSeq(only, ",") {
		fits := func(s scenario) bool {
			return s.name == name || strings.HasSuffix(name, "-") && strings.HasPrefix(s.name, name)
		}
		if !slices.ContainsFunc(all, fits) {
			return nil, fmt.Errorf("there is no scenario %q; -list names them", name)
		}
		for _, s := range all {
			if fits(s) && !slices.ContainsFunc(chosen, func(c scenario) bool { return c.name == s.name }) {
				chosen = append(chosen, s)
			}
		}
	}
	return chosen, nil
}

// shortOr gives the time of the set that runs.
func (o options) shortOr(short, long time.Duration) time.Duration {
	if o.long {
		return long
	}
	return short
}

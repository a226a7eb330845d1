package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"strconv"
	"strings"
	"time"
)

// options of one run.
type options struct {
	binary    string
	backends  []string
	rates     []int
	highest   bool
	from, by  int
	runs      int
	length    time.Duration
	tries     int
	outages   int
	alertRate int
	growth    []int
	patience  time.Duration
	history   int           // days
	every     time.Duration // interval of monitors with a history
	look      bool          // at pages in a browser
	monitors  map[string]int
	json      string
	compare   string
	keep      bool
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if len(os.Args) > 1 && os.Args[1] == bareCommand {
		if err := runBare(ctx, os.Args[2:]); err != nil {
			fail(stop, err)
		}
		return
	}
	if err := run(ctx, os.Args[1:]); err != nil {
		fail(stop, err)
	}
}

func fail(stop func(), err error) {
	_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
	stop()
	os.Exit(1)
}

func parse(args []string) (options, error) {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{}
	backends, rates, growth := "", "", ""
	flags.StringVar(&o.binary, "binary", "../bin/monitor", "the program")
	flags.StringVar(&backends, "backends", "sqlite,postgres", "what to run it on: sqlite (the embedded default), postgres (with Redis)")
	flags.StringVar(&rates, "rates", "50,1000", "rates to measure at, in checks per second, ascending")
	flags.BoolVar(&o.highest, "highest", true, "look for the highest rate of which less than 1 % is missed, and measure there")
	flags.IntVar(&o.from, "from", 2000, "where the look for the highest rate begins")
	flags.IntVar(&o.by, "by", 1000, "and its steps")
	flags.IntVar(&o.runs, "runs", 1, "runs of the program and of the bare loop at each rate, in turn; figures are medians")
	flags.DurationVar(&o.length, "length", 20*time.Second, "of one run")
	flags.IntVar(&o.tries, "tries", 4, "how often at most to measure a leg that others disturb")
	flags.IntVar(&o.outages, "outages", 100, "outages from whose first bad answer to the webhook is measured; 0: none")
	flags.IntVar(&o.alertRate, "alert-rate", 1000, "checks per second meanwhile")
	flags.StringVar(&growth, "growth", "", "numbers of monitors, such as 100,1000,10000,100000, to measure the cost of a check at, 100 checks a second in each")
	flags.DurationVar(&o.patience, "patience", 2*time.Minute, "the longest first interval after a start that -growth waits for")
	flags.IntVar(&o.history, "history", 0, "days of history to make, to ask for pages on while the program checks and purges; it says first what disk that needs")
	flags.DurationVar(&o.every, "history-interval", 30*time.Second, "how often monitors with a history are checked")
	flags.BoolVar(&o.look, "look", false, "look at pages with a history in a browser, too: their size, nodes and largest paint")
	onSmall := flags.Int("sqlite-monitors", 200, "monitors with a history on SQLite, every 30 s")
	onLarge := flags.Int("postgres-monitors", 1000, "and on PostgreSQL")
	flags.StringVar(&o.json, "json", "", "write the figures to this file, too")
	flags.StringVar(&o.compare, "compare", "", "compare with the figures in this file")
	flags.BoolVar(&o.keep, "keep", false, "leave the folder with databases and logs")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	if o.every < 5*time.Second || 24*time.Hour%o.every != 0 {
		return o, errors.New("-history-interval must divide a day and be 5s or more")
	}
	if o.history < 0 || o.history == 1 || *onSmall < 1 || *onLarge < 1 {
		return o, errors.New("-history needs two days or more, and monitors")
	}
	o.monitors = map[string]int{onSQLite: *onSmall, onPostgres: *onLarge}
	var err error
	o.backends = strings.Split(backends, ",")
	for _, b := range o.backends {
		if b != onSQLite && b != onPostgres {
			return o, fmt.Errorf("-backends: %q is neither %s nor %s", b, onSQLite, onPostgres)
		}
	}
	if o.rates, err = numbers("-rates", rates); err != nil {
		return o, err
	}
	o.growth, err = numbers("-growth", growth)
	return o, err
}

// numbers reads a list that must ascend.
func numbers(name, text string) (list []int, err error) {
	for field := range strings.SplitSeq(text, ",") {
		if field == "" {
			continue
		}
		n, err := strconv.Atoi(field)
		if err != nil || n <= 0 || len(list) > 0 && n <= list[len(list)-1] {
			return nil, fmt.Errorf("%s: %q must be whole numbers above zero, ascending", name, text)
		}
		list = append(list, n)
	}
	return list, nil
}

func run(ctx context.Context, args []string) error {
	o, err := parse(args)
	if err != nil {
		return err
	}
	var before *report
	if o.compare != "" {
		if before, err = readReport(o.compare); err != nil {
			return err
		}
	}
	b, err := newBench(ctx, o)
	if err != nil {
		return err
	}
	r, err := b.run(ctx)
	b.close()
	if err != nil {
		return err
	}
	if err := r.print(os.Stdout, before); err != nil || o.json == "" {
		return err
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(o.json, append(text, '\n'), 0o600)
}

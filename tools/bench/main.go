// Command bench drives the built program as its users do and prints what it
// did: start-up time, size, and, with many monitors on the embedded default,
// how many slots were missed, how late checks started, and what they cost.
//
// Build first (make bench does). Everything runs on this machine over loopback
// and ends by itself.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"time"
)

// options of one run.
type options struct {
	binary   string
	monitors int
	interval time.Duration
	duration time.Duration
	asJSON   bool
}

// report is what one run gave.
type report struct {
	StartMS       float64 `json:"start_to_ready_ms"`
	BinaryMB      float64 `json:"binary_mb"`
	Monitors      int     `json:"monitors"`
	IntervalS     float64 `json:"interval_s"`
	DurationS     float64 `json:"duration_s"`
	Due           int     `json:"slots_due"`
	Stored        int     `json:"slots_stored"`
	Missed        int     `json:"slots_missed"`
	NotUp         int     `json:"results_not_up"`
	RatePerS      float64 `json:"checks_per_s"`
	LateP50MS     float64 `json:"late_p50_ms"`
	LateP99MS     float64 `json:"late_p99_ms"`
	LateMaxMS     float64 `json:"late_max_ms"`
	CPUPerCheckMS float64 `json:"cpu_ms_per_check"`
	CPUShare      float64 `json:"cpu_share_of_one_core"`
	RSSMB         float64 `json:"rss_mb"`
	RSSMaxMB      float64 `json:"rss_max_mb"`
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Stdout, os.Stderr); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "bench:", err)
		stop()
		os.Exit(1) //nolint:gocritic // stop was called
	}
}

func run(ctx context.Context, args []string, out, progress io.Writer) error {
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	o := options{}
	flags.StringVar(&o.binary, "binary", "../bin/monitor", "the program")
	flags.IntVar(&o.monitors, "monitors", 1000, "how many monitors")
	flags.DurationVar(&o.interval, "interval", 10*time.Second, "interval of each")
	flags.DurationVar(&o.duration, "duration", 2*time.Minute, "how long to measure")
	flags.BoolVar(&o.asJSON, "json", false, "print JSON")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r, err := measure(ctx, o, progress)
	if err != nil {
		return err
	}
	if o.asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	return r.print(out)
}

func (r report) print(out io.Writer) error {
	rows := []struct {
		name  string
		value string
	}{
		{"serve on an empty folder to /readyz 200", fmt.Sprintf("%.0f ms", r.StartMS)},
		{"size of the binary", fmt.Sprintf("%.1f MB", r.BinaryMB)},
		{"monitors × interval, measured for", fmt.Sprintf("%d × %.0f s, %.0f s", r.Monitors, r.IntervalS, r.DurationS)},
		{"slots due / stored / missed", fmt.Sprintf("%d / %d / %d", r.Due, r.Stored, r.Missed)},
		{"results other than up", fmt.Sprint(r.NotUp)},
		{"checks per second", fmt.Sprintf("%.1f", r.RatePerS)},
		{"lateness p50 / p99 / max", fmt.Sprintf("%.2f / %.2f / %.2f ms", r.LateP50MS, r.LateP99MS, r.LateMaxMS)},
		{"CPU per check (user + system)", fmt.Sprintf("%.2f ms, %.0f %% of one core", r.CPUPerCheckMS, 100*r.CPUShare)},
		{"memory at the end / highest", fmt.Sprintf("%.0f / %.0f MB", r.RSSMB, r.RSSMaxMB)},
	}
	for _, row := range rows {
		if _, err := fmt.Fprintf(out, "%-42s %s\n", row.name, row.value); err != nil {
			return err
		}
	}
	return nil
}

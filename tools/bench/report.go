package main

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"os"
	"runtime"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// report is what one run gave.
type report struct {
	At            time.Time          `json:"at"`
	CPU           string             `json:"cpu"`
	Cores         int                `json:"cores"`
	Kernel        string             `json:"kernel"`
	Go            string             `json:"go"`
	BinaryMB      float64            `json:"binary_mb"`
	StartMS       map[string]float64 `json:"start_to_ready_ms"`
	Limit         leg                `json:"bare_limit"`
	Pairs         []pair             `json:"pairs"`
	Alerts        map[string]alerts  `json:"alerts"`
	Highest       map[string]int     `json:"highest_rate"`
	BytesPerCheck map[string]float64 `json:"bytes_per_check"`
	Restarts      []restart          `json:"restarts,omitempty"`
	Histories     []historyFigures   `json:"histories,omitempty"`
	Disturbed     int                `json:"legs_repeated"`
}

// pair is the program and the bare loop at one rate, each several times in turn.
type pair struct {
	Backend  string  `json:"backend"`
	Monitors int     `json:"monitors"`
	Rate     float64 `json:"rate"`
	Ours     []leg   `json:"ours"`
	Bare     []leg   `json:"bare"`
}

// ratio of the cost of a check to the bare loop's.
func (p pair) ratio() float64 {
	return median(p.Ours, leg.cost) / median(p.Bare, leg.cost)
}

func (l leg) cost() float64 { return l.CPUSum }

// median of a figure over legs.
func median(legs []leg, figure func(leg) float64) float64 {
	values := make([]float64, len(legs))
	for i, l := range legs {
		values[i] = figure(l)
	}
	slices.Sort(values)
	if len(values) == 0 {
		return 0
	}
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}

func newReport(o options) (*report, error) {
	info, err := os.Stat(o.binary)
	if err != nil {
		return nil, fmt.Errorf("%w (run `make build` first)", err)
	}
	r := &report{
		At: time.Now().UTC().Truncate(time.Second), Cores: runtime.NumCPU(), Go: runtime.Version(), BinaryMB: float64(info.Size()) / 1e6,
		StartMS: map[string]float64{}, Alerts: map[string]alerts{}, Highest: map[string]int{}, BytesPerCheck: map[string]float64{},
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		r.Kernel = strings.TrimSpace(string(text))
	}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.Lines(string(text)) {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				r.CPU = strings.TrimSpace(value)
				break
			}
		}
	}
	return r, nil
}

func readReport(path string) (*report, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	r := &report{}
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	return r, nil
}

func (r *report) add(backend string, l leg) {
	i := slices.IndexFunc(r.Pairs, func(p pair) bool {
		return p.Backend == backend && p.Monitors == l.Monitors && p.Rate == l.RateWanted
	})
	if i < 0 {
		i = len(r.Pairs)
		r.Pairs = append(r.Pairs, pair{Backend: backend, Monitors: l.Monitors, Rate: l.RateWanted})
	}
	if l.System == backend {
		r.Pairs[i].Ours = append(r.Pairs[i].Ours, l)
	} else {
		r.Pairs[i].Bare = append(r.Pairs[i].Bare, l)
	}
}

// like finds the figures of the same backend and rate.
func (r *report) like(p pair) *pair {
	if r == nil {
		return nil
	}
	i := slices.IndexFunc(r.Pairs, func(q pair) bool { return q.Backend == p.Backend && q.Monitors == p.Monitors && q.Rate == p.Rate })
	if i < 0 {
		return nil
	}
	return &r.Pairs[i]
}

// print writes the table, with the ratios of an earlier run where there is one.
func (r *report) print(out io.Writer, before *report) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	line := func(format string, args ...any) { _, _ = fmt.Fprintf(w, format+"\n", args...) } // Flush gives the error
	line("%s, %d cores, Linux %s, %s", cmp.Or(r.CPU, "unknown CPU"), r.Cores, r.Kernel, r.Go)
	line("binary %.1f MB; bare loop at its limit: %.0f/s, %.0f µs of CPU a check; %d legs were repeated", r.BinaryMB, r.Limit.Rate, r.Limit.CPUSum, r.Disturbed)
	line("")
	line("on\tmonitors\tchecks/s\tCPU µs a check\tbare\tratio\t(before)\tlate p50\tp95\tp99\tmax ms\tbare p50\tp95\tmissed\ttwice\tstored\tMB, most")
	for _, p := range r.Pairs {
		r.printPair(line, p, before)
	}
	line("")
	for _, backend := range slices.Sorted(maps.Keys(r.StartMS)) {
		text := fmt.Sprintf("%s: start to ready %.0f ms; a stored check takes %.1f bytes", backend, r.StartMS[backend], r.BytesPerCheck[backend])
		if rate, ok := r.Highest[backend]; ok {
			text += fmt.Sprintf("; highest rate %d/s", rate)
		}
		line("%s", text)
		if a, ok := r.Alerts[backend]; ok {
			line("%s: bad answer to webhook, %d outages at %.0f/s: p50 %.2f, p95 %.2f, p99 %.2f, max %.2f ms", backend, a.Outages, a.Rate, a.P50, a.P95, a.P99, a.Max)
		}
	}
	for _, s := range r.Restarts {
		line("%s: start to first check with %d monitors %.0f ms; busiest second of the next %.0f: %d checks, at %.0f/s",
			s.Backend, s.Monitors, s.FirstMS, watched.Seconds(), s.Busiest, s.Rate)
	}
	for _, h := range r.Histories {
		printHistory(line, h)
	}
	return w.Flush()
}

func printHistory(line func(string, ...any), h historyFigures) {
	line("")
	line("%s: %d days of %d monitors every %.0f s, %d results, written in %.0f s, summed up by the program in %.0f s", h.Backend, h.Days, h.Monitors, h.Interval, h.Results, h.FillS, h.RollS)
	line("asked while it checks and purges\ttimes\tp50\tp95\tp99\tmax ms")
	for _, name := range slices.Sorted(maps.Keys(h.Pages)) {
		p := h.Pages[name]
		line("%s\t%d\t%.1f\t%.1f\t%.1f\t%.1f", name, p.Asked, p.P50, p.P95, p.P99, p.Max)
	}
	for _, l := range h.Looks {
		line("%s: %d nodes, HTML %.1f kB (%.1f packed), scripts %.1f and styles %.1f kB packed, %d requests; first byte %.0f ms, largest paint %.0f ms, layout shift %.3f",
			l.Name, l.Nodes, l.HTML, l.Packed, l.Scripts, l.Styles, l.Requests, l.FirstByte, l.Paint, l.Shift)
	}
	line("checks meanwhile: late p50 %.2f, p95 %.2f, p99 %.2f, max %.1f ms; %d of %d missed", h.Leg.LateP50, h.Leg.LateP95, h.Leg.LateP99, h.Leg.LateMax, h.Leg.Missed, h.Leg.Due)
}

func (r *report) printPair(line func(string, ...any), p pair, before *report) {
	of := func(figure func(leg) float64) float64 { return median(p.Ours, figure) }
	bare := func(figure func(leg) float64) float64 { return median(p.Bare, figure) }
	earlier := ""
	if q := before.like(p); q != nil {
		earlier = fmt.Sprintf("%.2f", q.ratio())
	}
	parts := byProcess(p.Ours, func(l leg) map[string]float64 { return l.CPU })
	memory := byProcess(p.Ours, func(l leg) map[string]float64 { return l.MemoryMost })
	line("%s\t%d\t%.0f\t%.0f (%s)\t%.0f\t%.2f\t%s\t%.2f\t%.2f\t%.2f\t%.1f\t%.2f\t%.2f\t%.2f %%\t%.0f\t%.0f\t%s",
		p.Backend, p.Monitors, of(func(l leg) float64 { return l.Rate }), of(leg.cost), parts, bare(leg.cost), p.ratio(), earlier,
		of(func(l leg) float64 { return l.LateP50 }), of(func(l leg) float64 { return l.LateP95 }),
		of(func(l leg) float64 { return l.LateP99 }), of(func(l leg) float64 { return l.LateMax }),
		bare(func(l leg) float64 { return l.LateP50 }), bare(func(l leg) float64 { return l.LateP95 }),
		100*of(leg.missedShare), of(func(l leg) float64 { return float64(l.Duplicates) }),
		of(func(l leg) float64 { return l.Stored }), memory)
}

// byProcess lists the medians of a figure that each process has.
func byProcess(legs []leg, figures func(leg) map[string]float64) string {
	if len(legs) == 0 {
		return ""
	}
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(figures(legs[0]))) {
		parts = append(parts, fmt.Sprintf("%s %.0f", name, median(legs, func(l leg) float64 { return figures(l)[name] })))
	}
	return strings.Join(parts, ", ")
}

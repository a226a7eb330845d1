package storetest

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/uptime"
)

// Example is one of docs/uptime.md: a block of lines under a heading.
type Example struct {
	Name     string
	Failures int      // failures_before_down
	Quorum   int      // min_regions_down
	Regions  []string // letters, one a minute
	Want     []string // lines of figures: the monitor's, then some of its regions'
}

var (
	exampleBlock   = regexp.MustCompile("(?s)### ([^\n]+)\n(.*?)```\n(.*?)```")
	exampleSetting = regexp.MustCompile(`^(failures_before_down|min_regions_down) (\d+)$`)
	exampleLetters = regexp.MustCompile(`^[usdxpm -]+$`)
)

// Examples reads those of the text.
func Examples(t *testing.T, markdown string) []Example {
	t.Helper()
	var out []Example
	for _, block := range exampleBlock.FindAllStringSubmatch(markdown, -1) {
		e := Example{Name: block[1], Failures: 1, Quorum: 1}
		for line := range strings.Lines(block[3]) {
			line = strings.TrimSpace(line)
			if set := exampleSetting.FindStringSubmatch(line); set != nil {
				n, err := strconv.Atoi(set[2])
				require.NoError(t, err)
				if set[1] == "min_regions_down" {
					e.Quorum = n
				} else {
					e.Failures = n
				}
			} else if exampleLetters.MatchString(line) {
				e.Regions = append(e.Regions, strings.ReplaceAll(line, " ", ""))
			} else {
				e.Want = append(e.Want, line)
			}
		}
		require.NotEmpty(t, e.Regions, e.Name)
		require.NotEmpty(t, e.Want, e.Name)
		out = append(out, e)
	}
	return out
}

// RunExamples lives through the examples and asks for their figures, before and
// after their results were rolled up. Those with maintenance are left out: there
// are no windows yet.
func RunExamples(t *testing.T, open OpenFunc, markdown string) {
	ran := 0
	for _, e := range Examples(t, markdown) {
		if strings.Contains(e.Regions[0], "m") {
			continue
		}
		ran++
		t.Run(e.Name, func(t *testing.T) { t.Parallel(); e.run(t, newHouse(t, open)) })
	}
	require.Greater(t, ran, 4)
}

func (e Example) run(t *testing.T, h house) {
	start := h.atMidnight(t)
	m, err := h.CreateMonitor(t.Context(), uptime.Monitor{
		WorkspaceID: h.ws, RowKey: h.key(), Name: e.Name, Type: "http", Enabled: true, Interval: time.Minute, Timeout: time.Second,
		FailuresBeforeDown: e.Failures, SuccessesBeforeUp: 1, MinRegionsDown: e.Quorum, Regions: e.names(), Settings: []byte("{}"), CheckAt: start,
	}, nil)
	require.NoError(t, err)
	words := map[byte]uptime.Status{'u': uptime.Up, 'd': uptime.Down, 's': uptime.Degraded, 'x': uptime.Unknown}
	for minute := range e.Regions[0] {
		slot := start.Add(time.Duration(minute) * time.Minute)
		if paused := e.Regions[0][minute] == 'p'; paused == m.Enabled {
			m = change(t, h, m.ID, func(m *uptime.Monitor) { m.Enabled, m.CheckAt = !paused, slot })
		}
		var batch []uptime.Result
		for i, letters := range e.Regions {
			if status, ok := words[letters[minute]]; ok {
				r := uptime.Result{MonitorID: m.ID, Region: e.names()[i], ScheduledAt: slot, StartedAt: slot, Attempt: 1}
				r.Status = status
				batch = append(batch, r)
			}
		}
		_, err := h.Record(t.Context(), batch, uptime.Judge(h.eventID))
		require.NoError(t, err)
		h.clock.Advance(time.Minute)
	}
	end := h.clock.Now()
	for _, when := range []string{"from results", "rolled up"} {
		s := h.stats(t, m, start, end)
		got := []string{fmt.Sprintf("known %s  down %s  unknown %s  uptime %.6g  coverage %.6g", s.Known, s.Downtime, s.Unknown, *s.Uptime, s.Coverage)}
		for i, r := range s.Regions {
			got = append(got, fmt.Sprintf("region %d: known %s  down %s  unknown %s", i+1, r.Known, r.Downtime, r.Unknown))
		}
		require.Equal(t, e.Want[0], got[0], when)
		for _, line := range e.Want[1:] {
			require.Contains(t, got, line, when)
		}
		h.clock.Advance(3 * time.Hour)
		require.NoError(t, h.Rollup(t.Context(), h.clock.Now()))
	}
}

func (e Example) names() []string {
	out := make([]string, len(e.Regions))
	for i := range out {
		out[i] = fmt.Sprintf("r%d", i+1)
	}
	return out
}

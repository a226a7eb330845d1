package web

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// storedMonitor reads the monitor of the path.
func (r *request) storedMonitor() (manage.MonitorView, error) {
	id, err := r.id()
	if err != nil {
		return manage.MonitorView{}, err
	}
	return r.web.deps.Manage.Monitor(r.Request().Context(), r.actor, id)
}

// monitorExport gives what can be set of a monitor as a file, secrets masked.
func (w *Web) monitorExport(r *request) error {
	m, err := r.storedMonitor()
	if err != nil {
		return err
	}
	text, err := configText(m)
	if err != nil {
		return err
	}
	return r.file("monitor-"+plainName(m.Name)+".json", "application/json", []byte(text+"\n"))
}

// chartCSV gives the numbers of the chart as a file.
func (w *Web) chartCSV(r *request) error {
	m, err := r.storedMonitor()
	if err != nil {
		return err
	}
	me, err := w.deps.Manage.Me(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	ws, err := w.deps.Manage.Workspace(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	at := r.shownRange(&scene{loc: zone(me.TimeZone, ws.TimeZone), now: r.now}, m)
	buckets, err := w.deps.Manage.Buckets(r.Request().Context(), r.actor, []int64{m.ID}, at.start, at.stop, at.width)
	if err != nil {
		return err
	}
	var out bytes.Buffer
	if err := csv.NewWriter(&out).WriteAll(chartCells(buckets[m.ID])); err != nil {
		return err
	}
	return r.file("monitor-"+plainName(m.Name)+"-response.csv", "text/csv; charset=utf-8", out.Bytes())
}

// chartCells are the lines of the file, with their heading.
func chartCells(buckets []uptime.Bucket) [][]string {
	rows := [][]string{{"from", "to", "p50_ms", "p95_ms", "p99_ms", "up", "degraded", "down", "unknown", "missed", "downtime_seconds"}}
	for _, b := range buckets {
		c := b.Checks
		rows = append(rows, []string{
			b.From.UTC().Format(time.RFC3339), b.To.UTC().Format(time.RFC3339), csvMillis(b.P50), csvMillis(b.P95), csvMillis(b.P99),
			itoa(c.Up), itoa(c.Degraded), itoa(c.Down), itoa(c.Unknown), itoa(c.Missed), trim(b.Downtime.Seconds()),
		})
	}
	return rows
}

func csvMillis(d time.Duration) string {
	if ms := millis(d); ms != nil {
		return strconv.FormatFloat(*ms, 'f', -1, 64)
	}
	return ""
}

// file answers with something to be kept.
func (r *request) file(name, kind string, content []byte) error {
	r.Response().Header().Set("Cache-Control", "no-store")
	r.Response().Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", name))
	return r.Blob(http.StatusOK, kind, content)
}

var unplain = regexp.MustCompile(`[^a-z0-9]+`)

// plainName is a name of which every file system takes each letter.
func plainName(name string) string {
	plain := strings.Trim(unplain.ReplaceAllString(strings.ToLower(name), "-"), "-")
	return cmp.Or(plain[:min(len(plain), 60)], "unnamed")
}

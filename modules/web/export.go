package web

import (
	"encoding/csv"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// exportPage is how many things are read at once; a file is never held whole.
const exportPage = 200

// sheet is a file that monitors are written to one by one.
type sheet interface {
	begin() error
	add(manage.MonitorView) error
	// end of what was read so far goes out; last is the end of the file.
	end(last bool) error
}

// monitorsCSV is the list in its filter as a file.
func (w *Web) monitorsCSV(r *request) error {
	return r.export("text/csv; charset=utf-8", "monitors.csv", &csvSheet{file: csv.NewWriter(r.Response())})
}

// monitorsJSON is the same as the API shows monitors.
func (w *Web) monitorsJSON(r *request) error {
	return r.export("application/json; charset=utf-8", "monitors.json", &jsonSheet{to: r.Response()})
}

// export writes page after page. What fails before the first is an error page;
// after it the connection is cut, so that half a file does not look whole.
func (r *request) export(kind, name string, to sheet) error {
	me, err := r.web.deps.Manage.Me(r.Request().Context(), r.actor)
	if err != nil {
		return err
	}
	f := readFilter(r.QueryParams(), r.web.deps.Manage.MonitorKinds(), preferencesOf(me)).filter()
	f.Offset = 0
	list, err := r.exported(f, "")
	if err != nil {
		return err
	}
	h := r.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Type", kind)
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	r.Response().WriteHeader(http.StatusOK)
	if err := r.write(f, list, to); err != nil {
		r.web.deps.Log.WarnContext(r.Request().Context(), "export of monitors broke off", slog.Any("error", err))
		panic(http.ErrAbortHandler)
	}
	return nil
}

func (r *request) exported(f uptime.MonitorFilter, cursor string) (uptime.List[manage.MonitorView], error) {
	return r.web.deps.Manage.Monitors(r.Request().Context(), r.actor, f, uptime.Page{Limit: exportPage, Cursor: cursor})
}

func (r *request) write(f uptime.MonitorFilter, list uptime.List[manage.MonitorView], to sheet) error {
	if err := to.begin(); err != nil {
		return fmt.Errorf("begin the file: %w", err)
	}
	for {
		r.hurryLess()
		for _, m := range list.Items {
			if err := to.add(m); err != nil {
				return fmt.Errorf("write a monitor: %w", err)
			}
		}
		if err := to.end(list.Next == ""); err != nil || list.Next == "" {
			return err
		}
		r.Response().Flush()
		var err error
		if list, err = r.exported(f, list.Next); err != nil {
			return err
		}
	}
}

type csvSheet struct{ file *csv.Writer }

func (s *csvSheet) begin() error {
	return s.file.Write([]string{
		"id", "name", "type", "group", "target", "tags", "enabled", "status", "status_since", "interval_seconds",
		"last_checked_at", "last_response_ms", "last_error", "created_at",
	})
}

func (s *csvSheet) add(m manage.MonitorView) error {
	tags, failure, response := "", "", ""
	for i, tag := range tagList(m.Tags) {
		if i > 0 {
			tags += " "
		}
		tags += tag
	}
	if m.LastError != nil {
		failure = *m.LastError
	}
	if m.LastResponseMS != nil {
		response = strconv.FormatFloat(*m.LastResponseMS, 'f', -1, 64)
	}
	return s.file.Write([]string{
		strconv.FormatInt(m.ID, 10), cell(m.Name), cell(m.Type), cell(m.Group), cell(m.Target), cell(tags), strconv.FormatBool(m.Enabled),
		string(m.Status), isoTime(m.StatusSince), strconv.FormatFloat(time.Duration(m.Interval).Seconds(), 'f', -1, 64),
		isoTime(m.LastCheckedAt), response, cell(failure), isoTime(&m.CreatedAt),
	})
}

func (s *csvSheet) end(bool) error {
	s.file.Flush()
	return s.file.Error()
}

func isoTime(t *time.Time) string {
	if t == nil || t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

type jsonSheet struct {
	to  io.Writer
	any bool
}

func (s *jsonSheet) begin() error { return s.text(`{"data":[`) }

func (s *jsonSheet) add(m manage.MonitorView) error {
	raw, err := json.Marshal(m)
	if err != nil {
		return err
	}
	if s.any {
		raw = append([]byte(",\n"), raw...)
	}
	s.any = true
	_, err = s.to.Write(raw)
	return err
}

func (s *jsonSheet) end(last bool) error {
	if last {
		return s.text("]}\n")
	}
	return nil
}

func (s *jsonSheet) text(text string) error {
	_, err := io.WriteString(s.to, text)
	return err
}

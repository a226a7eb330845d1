package web

import (
	"encoding/csv"
	"encoding/json"
	"io"
	"net/http"
	"strconv"
	"time"

	"github.com/labstack/echo/v4"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// exportPause is how long a client may take for a part of a file.
const exportPause = time.Minute

// exportIncidents walks over what the list shows, newest first, by cursor, so that what comes or
// goes meanwhile shifts nothing. The first page is read before begin answers: a database
// that is away becomes an error page. What fails later breaks the answer off, so that
// nobody takes a part for the whole.
func (r *request) exportIncidents(begin func() (each func(manage.IncidentView) error, end func() error)) error {
	s, err := r.scene("Incidents", "Incidents")
	if err != nil {
		return err
	}
	f := readIncidentFilter(r.QueryParams()).filter(s.loc)
	f.OpenFirst, f.Offset = false, 0
	page := uptime.Page{Limit: exportPage}
	list, err := r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, f, page)
	if err != nil {
		return err
	}
	each, end := begin()
	for {
		r.hurryLess()
		for _, inc := range list.Items {
			if err := each(inc); err != nil {
				return err // nobody listens any more
			}
		}
		if list.Next == "" {
			return end()
		}
		page.Cursor = list.Next
		if list, err = r.web.deps.Manage.Incidents(r.Request().Context(), r.actor, f, page); err != nil {
			panic(http.ErrAbortHandler) // the only way to end an answer that has begun so that it shows
		}
	}
}

// hurryLess moves the deadline for writing the answer: each part has its own time.
func (r *request) hurryLess() {
	_ = http.NewResponseController(r.Response()).SetWriteDeadline(r.web.deps.Clock().Add(exportPause)) // unsupported only in tests
}

func (r *request) beginFile(name, media string) io.Writer {
	h := r.Response().Header()
	h.Set("Cache-Control", "no-store")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set(echo.HeaderContentType, media)
	r.Response().WriteHeader(http.StatusOK)
	return r.Response()
}

// incidentsCSV is the list as a file, one line for each incident.
func (w *Web) incidentsCSV(r *request) error {
	return r.exportIncidents(func() (func(manage.IncidentView) error, func() error) {
		file := csv.NewWriter(r.beginFile("monitor-incidents.csv", "text/csv; charset=utf-8"))
		head := []string{
			"id", "title", "status", "stage", "severity", "monitors", "owner", "started_at", "acknowledged_at", "acknowledged_by", "resolved_at",
			"duration_seconds", "cause", "error_kind",
		}
		_ = file.Write(head) // into a buffer; Flush tells what failed
		end := func() error {
			file.Flush()
			return file.Error()
		}
		return func(inc manage.IncidentView) error { return file.Write(incidentCells(inc)) }, end
	})
}

func incidentCells(inc manage.IncidentView) []string {
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05.000Z07:00")
	}
	return []string{
		itoa(inc.ID), cell(inc.Title), string(inc.Status), string(inc.Stage), string(inc.Severity), strconv.Itoa(len(inc.MonitorIDs)), cell(inc.OwnerName),
		at(&inc.StartedAt), at(inc.AcknowledgedAt), cell(inc.AcknowledgedByName), at(inc.ResolvedAt),
		strconv.FormatFloat(inc.DurationSeconds, 'f', 0, 64), cell(inc.Cause), cell(string(inc.ErrorKind)),
	}
}

// incidentsJSON is the list as a file, each incident as the API shows it.
func (w *Web) incidentsJSON(r *request) error {
	return r.exportIncidents(func() (func(manage.IncidentView) error, func() error) {
		file := r.beginFile("monitor-incidents.json", "application/json")
		before := "["
		each := func(inc manage.IncidentView) error {
			raw, err := json.Marshal(inc)
			if err == nil {
				_, err = file.Write(append([]byte(before+"\n"), raw...))
			}
			before = ","
			return err
		}
		return each, func() error {
			if before == "[" {
				_, err := io.WriteString(file, "[]\n")
				return err
			}
			_, err := io.WriteString(file, "\n]\n")
			return err
		}
	})
}

package web

import (
	"errors"
	"strconv"
	"strings"
	"time"

	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// ChecksTab is the list of a monitor's checks.
type ChecksTab struct {
	Rows     []CheckRow
	Results  []Option
	Regions  []Option
	Hidden   []pair // of the filter's form
	Filtered bool
	All      string // URL without a filter
	Searched string // the day that was looked through, ""
	Open     *OpenCheck
	Lost     bool // the check that is asked for is not there
}

// CheckRow is one check that was made.
type CheckRow struct {
	At       When
	State    State
	Response string
	Code     string
	Phases   [4]string // DNS, connect, TLS, first byte
	Region   string
	Message  string
	Attempt  int
	URL      string // opens it
	Open     bool
}

// OpenCheck is what is kept of one check.
type OpenCheck struct {
	Row      CheckRow
	Said     string
	Facts    []Fact
	Phases   []PhaseBar
	Incident string // URL of the one that it is part of the start of
	Evidence []Fact
	Excerpt  string
	Close    string
}

func resultFilters() []uptime.Status {
	return []uptime.Status{uptime.Up, uptime.Degraded, uptime.Down, uptime.Unknown}
}

// searchedAtOnce is how much of the past is looked through for results of one kind:
// no index finds them.
const searchedAtOnce = 24 * time.Hour

func (p *MonitorPage) fillChecks(r *request, s *scene, m manage.MonitorView) error {
	p.Checks = &ChecksTab{Hidden: p.look.hidden("result", "region", "until", "cursor", "check"), Filtered: p.look.result != "" || p.look.region != ""}
	p.Checks.All = p.look.part(defaultTab).url(func(*look) {}) + "#tabs"
	p.Checks.options(s, p.look, m)
	f := uptime.ResultFilter{Region: p.look.region, Status: uptime.Status(p.look.result)}
	if f.Region != "" && !offered(p.Checks.Regions, f.Region) {
		f.Region = ""
	}
	if f.Status != "" {
		to, known := readTime(p.look.until, time.UTC)
		if !known {
			to = s.now
		} else {
			f.To = to
		}
		f.From = to.Add(-searchedAtOnce)
		p.Checks.Searched = s.rangeText(f.From, to)
	}
	list, err := r.web.deps.Manage.Results(r.Request().Context(), r.actor, m.ID, f, uptime.Page{Limit: checksPerPage, Cursor: p.look.cursor})
	if err != nil {
		return err
	}
	for _, v := range list.Items {
		p.Checks.Rows = append(p.Checks.Rows, p.checkRow(s, v))
	}
	if p.older(list.Next); list.Next == "" && f.Status != "" && f.From.After(m.CreatedAt) {
		p.Older = p.look.url(func(l *look) { l.until, l.cursor, l.check = f.From.UTC().Format(timeInURL), "", "" }) + "#tabs"
	}
	return p.openCheck(r, s, m)
}

// options of the filter. Locations are those of now.
func (c *ChecksTab) options(s *scene, l look, m manage.MonitorView) {
	c.Results = []Option{{Label: s.t("Every result"), Selected: l.result == ""}}
	for _, status := range resultFilters() {
		c.Results = append(c.Results, Option{Value: string(status), Label: s.t(stateOf(status).Word), Selected: l.result == string(status)})
	}
	c.Regions = []Option{{Label: s.t("Every location"), Selected: l.region == ""}}
	for _, region := range m.Regions {
		c.Regions = append(c.Regions, Option{Value: region, Label: region, Selected: l.region == region})
	}
}

func offered(list []Option, value string) bool {
	for _, o := range list {
		if o.Value == value {
			return true
		}
	}
	return false
}

func (p *MonitorPage) checkRow(s *scene, v manage.ResultView) CheckRow {
	row := CheckRow{
		At: s.when(v.ScheduledAt), State: stateOf(v.Status), Region: v.Region, Message: s.lang.Said(v.Error), Attempt: v.Attempt,
		Response: s.lang.Latency(ms(v.ResponseMS)), Code: "—",
	}
	if v.StatusCode != nil {
		row.Code = strconv.Itoa(*v.StatusCode)
	}
	for i, took := range []*float64{v.Phases.DNSMS, v.Phases.ConnectMS, v.Phases.TLSMS, v.Phases.FirstByteMS} {
		row.Phases[i] = msText(s.lang, took)
	}
	key := checkKey(v)
	row.Open = key == p.look.check
	row.URL = p.look.url(func(l *look) { l.check = key }) + "#check"
	return row
}

// checkKey names a check of a monitor: its slot in milliseconds and its region.
func checkKey(v manage.ResultView) string {
	return strconv.FormatInt(v.ScheduledAt.UnixMilli(), 10) + "." + v.Region
}

// openCheck shows what is kept of the check that the address names.
func (p *MonitorPage) openCheck(r *request, s *scene, m manage.MonitorView) error {
	slot, region, named := strings.Cut(p.look.check, ".")
	if !named {
		return nil
	}
	at, bad := strconv.ParseInt(slot, 10, 64)
	if p.Checks.Lost = bad != nil; p.Checks.Lost {
		return nil
	}
	v, err := r.web.deps.Manage.Result(r.Request().Context(), r.actor, m.ID, region, time.UnixMilli(at))
	if errors.Is(err, uptime.ErrNotFound) {
		p.Checks.Lost = true
		return nil
	}
	if err != nil {
		return err
	}
	o := &OpenCheck{Row: p.checkRow(s, v), Phases: phaseBars(s.lang, phases(v.Phases), ms(v.ResponseMS)), Close: p.look.url(func(l *look) { l.check = "" }) + "#tabs"}
	o.Facts = s.checkFacts(v)
	p.Checks.Open = o
	if v.Status != uptime.Down {
		return nil
	}
	return p.openEvidence(r, m, v)
}

func (s *scene) checkFacts(v manage.ResultView) []Fact {
	at := func(t time.Time) string { return s.lang.DateTime(s.when(t).local(), "15:04:05.000 MST") }
	facts := []Fact{{s.t("check|Due"), at(v.ScheduledAt)}}
	if v.StartedAt.After(v.ScheduledAt) {
		facts = append(facts, Fact{s.t("Started"), at(v.StartedAt)})
	}
	facts = append(facts, Fact{s.t("Location"), v.Region}, Fact{s.t("Attempt"), s.lang.Figure(int64(max(v.Attempt, 1)))})
	if k := kindWord(v.ErrorKind); k != "" {
		facts = append(facts, Fact{s.t("Kind of failure"), s.t(k)})
	}
	if v.Error != "" {
		facts = append(facts, Fact{s.t("check|Message"), s.lang.Said(v.Error)})
	}
	return facts
}

// openEvidence adds the answer that is kept with the incident whose start the check
// is part of.
func (p *MonitorPage) openEvidence(r *request, m manage.MonitorView, v manage.ResultView) error {
	uses, ctx := r.web.deps.Manage, r.Request().Context()
	spans, err := uses.IncidentSpans(ctx, r.actor, m.ID, v.ScheduledAt, v.ScheduledAt.Add(time.Millisecond))
	if err != nil || len(spans) == 0 || v.ScheduledAt.After(spans[0].ConfirmedAt) {
		return err
	}
	inc, err := uses.Incident(ctx, r.actor, spans[0].ID)
	if errors.Is(err, uptime.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	p.Checks.Open.Incident = incidentURL(inc.ID)
	if ev := inc.Evidence; ev != nil {
		p.Checks.Open.Evidence, p.Checks.Open.Excerpt = evidence(r.lang(), ev), ev.Excerpt
	}
	return nil
}

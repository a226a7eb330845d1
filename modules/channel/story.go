package channel

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/lang"
	"monitor/modules/uptime"
)

// story is a message in words, for channels that people read. All of it is
// clean and on one line each.
type story struct {
	Subject  string // "[Down] Shop — HTTP 503"
	Word     string // "Down"
	Tone     string // "down", "up", "degraded" or "note": its colour
	Headline string // "Shop is down"
	Notes    []string
	Facts    []fact
	Link     string // page about it, "" without a public URL
	EventID  string
}

type fact struct{ Label, Value string }

// teller puts messages into words.
type teller struct {
	zone *time.Location
	base string // public URL
}

// tell tells the message.
func (t teller) tell(m uptime.Message, channelName string) story {
	what := m.Type
	if m.Type == uptime.EventTest {
		what = m.TestOf
	}
	s := t.plot(what, m)
	s.EventID = m.ID
	s.Facts = append(s.Facts, t.facts(m)...)
	if m.Merged {
		s.Notes = append(s.Notes, "The message that it began could not be delivered. This one speaks of both.")
	}
	if m.Type == uptime.EventTest {
		s.Subject = "[Test] " + s.Subject
		s.Notes = append(s.Notes, fmt.Sprintf("This is a test of the channel %q. Nothing happened.", line(channelName)))
		return s
	}
	switch {
	case m.Data.Incident != nil:
		s.Link = link(t.base, "/incidents/%d", m.Data.Incident.ID)
	case m.Data.Monitor != nil:
		s.Link = link(t.base, "/monitors/%d", m.Data.Monitor.ID)
	case m.Data.Alarm != nil:
		s.Link = link(t.base, "/")
	}
	return s
}

// plot is what happened.
func (t teller) plot(what uptime.EventType, m uptime.Message) story {
	name, cause := nameOf(m.Data), causeOf(m.Data)
	switch what {
	case uptime.EventOpened:
		return plot("Down", "down", name, cause, name+" is down")
	case uptime.EventReminder:
		since := lasted(m)
		return plot("Still down", "down", name, "for "+since, name+" has been down for "+since)
	case uptime.EventResolved:
		if m.Type == uptime.EventResolved && m.Data.Result == nil {
			return closedPlot(name, m.Data.Incident)
		}
		was := "was down " + lasted(m)
		return plot("Up", "up", name, was, name+" is up again, it "+was)
	case uptime.EventAcknowledged:
		by := "somebody"
		if i := m.Data.Incident; i != nil && i.AcknowledgedBy != "" {
			by = line(i.AcknowledgedBy)
		}
		return plot("Acknowledged", "note", name, "by "+by, by+" takes care of "+name)
	case uptime.EventDegraded:
		return plot("Degraded", "degraded", name, cause, name+" is degraded")
	case uptime.EventRecovered:
		return plot("Up", "up", name, "no longer degraded", name+" is no longer degraded")
	case uptime.EventCertificate:
		return t.certificatePlot(name, m)
	case uptime.EventAlarm:
		return alarmPlot(m.Data.Alarm)
	case uptime.EventTest: // of nothing
		return plot("Test", "note", name, "", "This is a test")
	}
	return plot("Notice", "note", name, line(string(what)), name)
}

func plot(word, tone, name, detail, headline string) story {
	subject := "[" + word + "] " + name
	if detail != "" {
		subject += " — " + detail
	}
	return story{Subject: subject, Word: word, Tone: tone, Headline: headline}
}

// closedPlot is of an incident that ended without a check that found the monitor
// up: it was paused or deleted, or somebody resolved it.
func closedPlot(name string, i *uptime.EventIncident) story {
	reason := "Resolved by hand."
	if i != nil && i.Reason != "" {
		reason = line(i.Reason)
	}
	return plot("Resolved", "note", name, reason, "The incident of "+name+" was closed: "+reason)
}

func (t teller) certificatePlot(name string, m uptime.Message) story {
	c := m.Data.Certificate
	if c == nil {
		return plot("Certificate", "degraded", name, "ends soon", "The certificate of "+name+" ends soon")
	}
	left := c.NotAfter.Sub(m.Timestamp)
	ends := "ends in " + duration(left)
	if left <= 0 {
		ends = "has ended"
	}
	return plot("Certificate", "degraded", name, ends, "The certificate of "+name+" "+ends)
}

func alarmPlot(a *uptime.EventAlarmData) story {
	if a == nil {
		return plot("Alarm", "down", "Monitor", "", "The monitor itself has a problem")
	}
	subject, what := line(a.Subject), "has a problem"
	switch a.Kind {
	case uptime.AlarmWorkerNetwork:
		what = "has no working network; its checks are unknown"
	case uptime.AlarmChannelDead:
		what = "could not deliver a message"
	case uptime.AlarmClock:
		what = "has a clock that is wrong"
	case uptime.AlarmStorage:
		what = "has a problem with storage"
	}
	if a.Ended {
		return plot("Alarm over", "up", subject, "works again", subject+" works again")
	}
	return plot("Alarm", "down", subject, what, subject+" "+what)
}

// facts are the details below the headline.
func (t teller) facts(m uptime.Message) []fact {
	var facts []fact
	add := func(label, value string) {
		if value != "" {
			facts = append(facts, fact{label, value})
		}
	}
	d := m.Data
	if d.Monitor != nil {
		add("Monitor", line(d.Monitor.Name))
		add("Target", line(d.Monitor.Target))
		add("Tags", tagsOf(d.Monitor.Tags))
	}
	if i := d.Incident; i != nil {
		add("Cause", causeOf(d))
		add("Started", t.when(i.StartedAt))
		if i.ResolvedAt != nil {
			add("Ended", t.when(*i.ResolvedAt))
			add("Lasted", lasted(m))
		}
	} else if d.Result != nil {
		add("Check", causeOf(d))
	}
	if r := d.Result; r != nil && r.StatusCode != nil {
		add("Status code", fmt.Sprint(*r.StatusCode))
	}
	if c := d.Certificate; c != nil {
		add("Certificate", line(c.Subject))
		add("Issuer", line(c.Issuer))
		add("Ends", t.when(c.NotAfter))
	}
	if d.Alarm != nil {
		add("About", line(d.Alarm.Subject))
		add("Detail", line(d.Alarm.Detail))
	}
	add("Time", t.when(m.Timestamp))
	return facts
}

// when writes a time with its zone: a mail is read anywhere.
func (t teller) when(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.In(t.zone).Format("2 Jan 2006, 15:04:05 MST")
}

func nameOf(d uptime.EventData) string {
	if d.Monitor != nil {
		if name := line(d.Monitor.Name); name != "" {
			return name
		}
	}
	return "Monitor"
}

func causeOf(d uptime.EventData) string {
	if d.Incident != nil && d.Incident.Cause != "" {
		return line(d.Incident.Cause)
	}
	if d.Result != nil {
		return line(d.Result.Error)
	}
	return ""
}

// lasted is how long the incident took, until the event where it goes on.
func lasted(m uptime.Message) string {
	i := m.Data.Incident
	if i == nil {
		return duration(0)
	}
	until := m.Timestamp
	if i.ResolvedAt != nil {
		until = *i.ResolvedAt
	}
	return duration(until.Sub(i.StartedAt))
}

func tagsOf(tags map[string]string) string {
	list := make([]string, 0, len(tags))
	for name, value := range tags {
		if value != "" {
			name += ":" + value
		}
		list = append(list, line(name))
	}
	slices.Sort(list)
	return strings.Join(list, ", ")
}

// line makes text from outside fit for a header or a line.
func line(text string) string { return uptime.CleanLine(text, 300) }

// duration is written as on the pages: "4 min 10 s", "2 h 05 min", "3 d 4 h". Its spaces
// are plain ones, so that a subject stays readable in every program.
func duration(d time.Duration) string {
	return strings.ReplaceAll(lang.Of("en").Lasted(max(d, 0)), "\u00a0", " ")
}

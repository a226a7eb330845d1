package manage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"time"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// timeOrNil makes the zero time null.
func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	t = t.UTC()
	return &t
}

// idOrNil makes 0 null.
func idOrNil(id int64) *int64 {
	if id == 0 {
		return nil
	}
	return &id
}

// codeOrNil makes 0 null.
func codeOrNil(code int) *int {
	if code == 0 {
		return nil
	}
	return &code
}

// millis gives milliseconds with three decimals.
func millis(d time.Duration) float64 {
	return math.Round(float64(d)/float64(time.Microsecond)) / 1000
}

// millisOrNil makes 0 null: it did not happen.
func millisOrNil(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	ms := millis(d)
	return &ms
}

func seconds(d time.Duration) float64 { return math.Round(d.Seconds()*1000) / 1000 }

// mapList gives the same list of views.
func mapList[T, V any](list uptime.List[T], view func(T) V) uptime.List[V] {
	out := uptime.List[V]{Items: make([]V, 0, len(list.Items)), Next: list.Next}
	for _, item := range list.Items {
		out.Items = append(out.Items, view(item))
	}
	return out
}

// orEmpty makes an absent list [] in JSON.
func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}
	return list
}

func (m *Manage) monitorView(mon uptime.Monitor) MonitorView {
	v := MonitorView{
		ID: mon.ID, Name: mon.Name, Type: mon.Type, Enabled: mon.Enabled, ExternalKey: mon.ExternalKey, Group: mon.Group,
		Interval: form.Duration(mon.Interval), Timeout: form.Duration(mon.Timeout), RetryInterval: form.Duration(mon.RetryInterval),
		FailuresBeforeDown: mon.FailuresBeforeDown, SuccessesBeforeUp: mon.SuccessesBeforeUp, ResendEvery: form.Duration(mon.ResendEvery),
		Regions: orEmpty(mon.Regions), MinRegionsDown: mon.MinRegionsDown,
		Settings: maskedSettings(m.deps.ProbeKinds, mon.Type, mon.Settings),
		Target:   mon.Target, Tags: mon.Tags, ChannelIDs: orEmpty(mon.ChannelIDs),
		Status: mon.Status, StatusSince: timeOrNil(mon.State.Since), ConsecutiveFailures: mon.State.ConsecutiveFailures,
		LastCheckedAt: timeOrNil(mon.State.LastSlot), LastResponseMS: millisOrNil(mon.State.LastResponse),
		LastErrorKind: mon.State.LastErrorKind, CertificateExpiresAt: timeOrNil(mon.State.CertNotAfter),
		CreatedAt: mon.CreatedAt.UTC(), UpdatedAt: mon.UpdatedAt.UTC(),
		Retrying: mon.Retrying(), ETag: etag(mon.Version),
	}
	if v.Tags == nil {
		v.Tags = map[string]string{}
	}
	for _, name := range mon.Regions {
		if g := mon.State.Regions[name]; g.Down || g.Failures > 0 {
			v.FailingRegions++
		}
	}
	if mon.State.LastError != "" {
		v.LastError = &mon.State.LastError
	}
	if mon.Silence.Holds(m.deps.Clock()) {
		v.SilencedUntil, v.SilencedBy, v.SilenceNote = timeOrNil(mon.Silence.Until), mon.Silence.By, mon.Silence.Note
	}
	return v
}

// MarshalJSON writes the settings under the name of the type.
func (v MonitorView) MarshalJSON() ([]byte, error) {
	type plain MonitorView // without this method
	raw, err := json.Marshal(plain(v))
	if err != nil {
		return nil, fmt.Errorf("write monitor: %w", err)
	}
	settings := v.Settings
	if len(settings) == 0 {
		settings = json.RawMessage("{}")
	}
	block := append([]byte(strconv.Quote(v.Type)+":"), settings...)
	// Text cannot hold this mark: JSON escapes the quotes in it.
	return bytes.Replace(raw, []byte(`"target":`), append(append(block, ','), `"target":`...), 1), nil
}

func resultView(r uptime.Result) ResultView {
	return ResultView{
		MonitorID: r.MonitorID, Region: r.Region, ScheduledAt: r.ScheduledAt.UTC(), StartedAt: r.StartedAt.UTC(),
		Status: r.Status, ResponseMS: millis(r.Response), Phases: phasesView(r.Phases), StatusCode: codeOrNil(r.StatusCode),
		ErrorKind: r.ErrorKind, Error: r.Error, Attempt: r.Attempt,
	}
}

func phasesView(p uptime.Phases) PhasesView {
	return PhasesView{DNSMS: millisOrNil(p.DNS), ConnectMS: millisOrNil(p.Connect), TLSMS: millisOrNil(p.TLS), FirstByteMS: millisOrNil(p.FirstByte)}
}

func testView(o uptime.Outcome) MonitorTestView {
	v := MonitorTestView{
		Status: o.Status, ResponseMS: millis(o.Response), Phases: phasesView(o.Phases), StatusCode: codeOrNil(o.StatusCode),
		ErrorKind: o.ErrorKind, Error: o.Error, Headers: map[string]string{}, Expectations: orEmpty(o.Expectations),
	}
	cert := o.Certificate
	if e := o.Evidence; e != nil {
		v.Address, v.Excerpt = e.Address, e.Excerpt
		if e.Headers != nil {
			v.Headers = e.Headers
		}
		if cert == nil {
			cert = e.Certificate
		}
	}
	if cert != nil {
		v.Certificate = &CertificateView{Fingerprint: cert.Fingerprint, Subject: cert.Subject, Issuer: cert.Issuer, NotAfter: cert.NotAfter.UTC()}
	}
	return v
}

func deliveryView(d uptime.Delivery) DeliveryView {
	v := DeliveryView{
		ID: d.ID, EventID: d.EventID, EventType: d.EventType, ChannelID: d.ChannelID,
		IncidentID: idOrNil(d.IncidentID), MonitorID: idOrNil(d.MonitorID), Status: d.Status, Attempts: []AttemptView{},
		NextAttemptAt: timeOrNil(d.NextAttemptAt), CreatedAt: d.CreatedAt.UTC(), DeliveredAt: timeOrNil(d.DeliveredAt), Reason: d.Reason,
	}
	for _, a := range d.Attempts {
		v.Attempts = append(v.Attempts, AttemptView{
			N: a.N, At: a.At.UTC(), DurationMS: millis(a.Duration), Outcome: a.Outcome, StatusCode: codeOrNil(a.StatusCode), Error: a.Error,
		})
	}
	return v
}

func (m *Manage) channelView(c uptime.Channel) ChannelView {
	v := ChannelView{
		ID: c.ID, Name: c.Name, Type: c.Type, Enabled: c.Enabled, IsDefault: c.IsDefault,
		SendResolved: c.SendResolved, SendDegraded: c.SendDegraded, FallbackChannelID: idOrNil(c.FallbackChannelID),
		Settings: maskedSettings(m.deps.ChannelKinds, c.Type, c.Settings), DisabledReason: c.DisabledReason,
		UsedBy: c.UsedBy, CreatedAt: c.CreatedAt.UTC(), UpdatedAt: c.UpdatedAt.UTC(), ETag: etag(c.Version),
	}
	if kind, ok := m.deps.ChannelKinds.Kind(c.Type); ok && kind.Target != nil {
		masked := kind.New()
		if json.Unmarshal(v.Settings, masked) == nil {
			v.Target = kind.Target(masked)
		}
	}
	if c.LastDelivery != nil {
		last := deliveryView(*c.LastDelivery)
		v.LastDelivery = &last
	}
	v.Endpoint = m.endpointView(c.ID)
	return v
}

// endpointView of a channel; one that nothing was sent to is closed.
func (m *Manage) endpointView(channelID int64) EndpointView {
	if m.deps.Endpoints != nil {
		for _, e := range m.deps.Endpoints.Endpoints() {
			if e.ChannelID == channelID {
				return EndpointView{
					State: e.State, InFlight: e.InFlight, ConsecutiveFailures: e.ConsecutiveFailures, RetryAt: timeOrNil(e.RetryAt),
				}
			}
		}
	}
	return EndpointView{State: uptime.BreakerClosed}
}

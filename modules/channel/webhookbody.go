package channel

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// webhookMessage is the body of a webhook: the public contract. It is drawn from
// the event alone, so that each attempt sends the same bytes.
type webhookMessage struct {
	ID        string           `json:"id"` // the event's; also the header webhook-id
	Type      uptime.EventType `json:"type"`
	TestOf    uptime.EventType `json:"test_of,omitempty"` // of type test: what it shows
	Timestamp time.Time        `json:"timestamp"`         // of the event

	Monitor                *uptime.EventMonitor         `json:"monitor,omitempty"`
	Incident               *webhookIncident             `json:"incident,omitempty"`
	Result                 *uptime.EventResult          `json:"result"` // null where no check stands behind the event
	Certificate            *uptime.EventCertificateData `json:"certificate,omitempty"`
	Alarm                  *uptime.EventAlarmData       `json:"alarm,omitempty"`
	*uptime.EventAlarmData                              // of system.alarm: the same, beside type

	// Merged: the event before this one, of type Merges, could not be
	// delivered and will not be; this message speaks of both. What the earlier
	// one would have said is in incident: since when and why it was down
	// (started_at, cause, error_kind), beside resolved_at of this one.
	Merged bool             `json:"merged,omitempty"`
	Merges uptime.EventType `json:"merges,omitempty"`
}

// webhookIncident is the incident with the address of its page, null without a
// public URL.
type webhookIncident struct {
	uptime.EventIncident
	URL *string `json:"url"`
}

// webhookBody encodes the message.
func webhookBody(m uptime.Message, publicURL string) ([]byte, error) {
	body := webhookMessage{
		ID: m.ID, Type: m.Type, TestOf: m.TestOf, Timestamp: m.Timestamp.UTC(),
		Monitor: m.Data.Monitor, Result: m.Data.Result,
		Certificate: m.Data.Certificate, Alarm: m.Data.Alarm, EventAlarmData: m.Data.Alarm,
	}
	if i := m.Data.Incident; i != nil {
		body.Incident = &webhookIncident{EventIncident: *i}
		if address := link(publicURL, "/incidents/%d", i.ID); address != "" {
			body.Incident.URL = &address
		}
	}
	if m.Merged {
		body.Merged, body.Merges = true, opposite(m.Type)
	}
	var out bytes.Buffer
	encoder := json.NewEncoder(&out)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(body); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(out.Bytes(), []byte("\n")), nil
}

// opposite is the event that one of type t ends, "" where it ends none.
func opposite(t uptime.EventType) uptime.EventType {
	switch t {
	case uptime.EventResolved:
		return uptime.EventOpened
	case uptime.EventRecovered:
		return uptime.EventDegraded
	default:
		return ""
	}
}

// signingKey is the key of a channel's secret, empty for none: base64 after
// whsec_, any other secret as its bytes.
func signingKey(secret string) ([]byte, error) {
	encoded, ok := strings.CutPrefix(secret, "whsec_")
	if !ok {
		return []byte(secret), nil
	}
	if key, err := base64.StdEncoding.DecodeString(encoded); err == nil && len(key) > 0 {
		return key, nil
	}
	key, err := base64.RawStdEncoding.DecodeString(encoded)
	if err == nil && len(key) == 0 {
		err = base64.CorruptInputError(0)
	}
	return key, err
}

// sign makes the header webhook-signature (Standard Webhooks 1.0.0, symmetric
// signatures): HMAC-SHA-256 over id, timestamp and body, joined by dots.
func sign(key []byte, id, timestamp string, body []byte) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(id + "." + timestamp + "."))
	mac.Write(body)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

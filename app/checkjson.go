package app

import (
	"encoding/json"
	"time"

	"monitor/modules/uptime"
)

// checkAnswer is the JSON of `monitor check --json`; its names are those of a
// result in the API.
type checkAnswer struct {
	Target     string              `json:"target"`
	Status     uptime.Status       `json:"status"`
	ResponseMS float64             `json:"response_ms"`
	Phases     map[string]*float64 `json:"phases"`
	StatusCode *int                `json:"status_code"`
	ErrorKind  *uptime.ErrorKind   `json:"error_kind"`
	Error      *string             `json:"error"`

	Address      string               `json:"address,omitempty"`
	Certificate  *checkCertificate    `json:"certificate"`
	Expectations []uptime.Expectation `json:"expectations"`
}

type checkCertificate struct {
	Subject  string    `json:"subject"`
	Issuer   string    `json:"issuer"`
	NotAfter time.Time `json:"not_after"`
	DaysLeft int       `json:"days_left"`
}

func (a App) printJSON(target string, out uptime.Outcome) error {
	answer := checkAnswer{
		Target: target, Status: out.Status, ResponseMS: ms(out.Response), Expectations: out.Expectations,
		Phases: map[string]*float64{
			"dns_ms": happened(out.Phases.DNS), "connect_ms": happened(out.Phases.Connect),
			"tls_ms": happened(out.Phases.TLS), "first_byte_ms": happened(out.Phases.FirstByte),
		},
	}
	if out.StatusCode != 0 {
		answer.StatusCode = &out.StatusCode
	}
	if out.ErrorKind != "" {
		answer.ErrorKind, answer.Error = &out.ErrorKind, &out.Error
	}
	if out.Evidence != nil {
		answer.Address = out.Evidence.Address
	}
	if c := out.Certificate; c != nil {
		answer.Certificate = &checkCertificate{
			Subject: c.Subject, Issuer: c.Issuer, NotAfter: c.NotAfter,
			DaysLeft: int(c.NotAfter.Sub(a.Clock()).Hours() / 24),
		}
	}
	enc := json.NewEncoder(a.Out)
	enc.SetIndent("", "  ")
	return enc.Encode(answer)
}

// happened is null for a phase that did not.
func happened(d time.Duration) *float64 {
	if d == 0 {
		return nil
	}
	v := ms(d)
	return &v
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

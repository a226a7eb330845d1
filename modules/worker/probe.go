package worker

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"runtime/debug"
	"sync"

	"monitor/modules/failpoint"
	"monitor/modules/form"
	"monitor/modules/uptime"
)

// panicError is a panic of a probe.
type panicError struct {
	value any
	stack string
}

// Error gives no detail: the value may hold anything. It is in the log.
func (e *panicError) Error() string { return uptime.Say("the check panicked") }

// probe opens the secrets of a job and makes its check. A panic is an error: one
// bad answer must not end all other checks.
func (w *Worker) probe(ctx context.Context, lease uptime.Lease) (outcome uptime.Outcome, err error) {
	defer func() {
		if v := recover(); v != nil {
			w.count.panics.Add(1)
			err = &panicError{v, fmt.Sprintf("%v\n%s", v, debug.Stack())}
		}
	}()
	spec, err := w.open(lease.MonitorID, lease.Spec)
	if err != nil {
		return uptime.Outcome{}, err
	}
	failpoint.Here("worker.checking")
	return w.Prober.Probe(ctx, spec, false)
}

// mostPlain bounds the monitors whose settings are known to have no secret; the map
// is emptied when full.
const mostPlain = 200_000

// plainSettings remembers settings without secrets, by monitor: nearly all have
// none, and to find that out costs more than all else that is done before a check.
// Opened secrets are never kept.
type plainSettings struct {
	mu   sync.RWMutex
	byID map[int64]plain
}

type plain struct {
	kind     string // of monitor
	settings json.RawMessage
}

// of gives the settings as they are kept, nil where these are not known.
func (p *plainSettings) of(monitor int64, kind string, settings json.RawMessage) json.RawMessage {
	p.mu.RLock()
	defer p.mu.RUnlock()
	if known := p.byID[monitor]; known.kind == kind && bytes.Equal(known.settings, settings) {
		return known.settings
	}
	return nil
}

func (p *plainSettings) add(monitor int64, kind string, settings json.RawMessage) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.byID == nil || len(p.byID) >= mostPlain {
		p.byID = map[int64]plain{}
	}
	p.byID[monitor] = plain{kind, settings}
}

// open gives a spec whose secrets are clear. They live as long as the check.
func (w *Worker) open(monitor int64, spec uptime.Spec) (uptime.Spec, error) {
	if known := w.plain.of(monitor, spec.Type, spec.Settings); known != nil {
		spec.Settings = known
		return spec, nil
	}
	kind, ok := w.Catalog.Kind(spec.Type)
	if !ok {
		return spec, fmt.Errorf(uptime.Sentence("open settings: this program has no monitor type %q"), spec.Type)
	}
	settings := kind.New()
	if err := json.Unmarshal(spec.Settings, settings); err != nil {
		// The error may repeat a value.
		return spec, fmt.Errorf(uptime.Sentence("open settings: they are not settings of %s"), spec.Type)
	}
	opened := false
	err := form.Secrets(settings, func(path, sealed string) (string, error) {
		opened = true
		secret, err := w.Sealer.Open(uptime.SecretPlace{
			WorkspaceID: spec.WorkspaceID, Table: "monitors", RowKey: spec.RowKey, Field: kind.Name + "." + path,
			Plain: true,
		}, sealed)
		if err != nil {
			return "", fmt.Errorf(uptime.Sentence("its secret %s cannot be opened, save it again: %w"), path, err)
		}
		return secret, nil
	})
	if err != nil {
		return spec, err
	}
	if opened {
		spec.Settings = form.Encode(settings)
	} else {
		w.plain.add(monitor, spec.Type, spec.Settings)
	}
	return spec, nil
}

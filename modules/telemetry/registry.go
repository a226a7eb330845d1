package telemetry

import (
	"fmt"
	"log/slog"
	"net/http"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// Registry holds the metrics of one program; two in one process share nothing.
// Safe for concurrent use.
//
// Names and labels are written in the source, so a name that is not Prometheus's,
// or declared twice, is a mistake of the program's and panics at start.
type Registry struct {
	prom *prometheus.Registry
}

// NewRegistry returns a registry with the metrics of the Go runtime and the
// process, and monitor_build_info, always 1, which carries the build as labels.
func NewRegistry(b Build) *Registry {
	r := &Registry{prom: prometheus.NewRegistry()}
	r.prom.MustRegister(
		collectors.NewGoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}),
	)
	r.Gauge("monitor_build_info", "What the program was built from.", "version", "commit", "date", "go_version").
		Set(1, b.Version, b.Commit, b.Date, b.GoVersion)
	return r
}

// Handler serves the metrics in Prometheus's text format. What cannot be gathered
// is logged and left out, so that one bad metric does not hide the others.
func (r *Registry) Handler(log *slog.Logger) http.Handler {
	return promhttp.HandlerFor(r.prom, promhttp.HandlerOpts{
		ErrorHandling: promhttp.ContinueOnError,
		ErrorLog:      errorLog{log},
	})
}

type errorLog struct{ log *slog.Logger }

func (l errorLog) Println(v ...any) { l.log.Error("cannot gather metrics", "error", fmt.Sprint(v...)) }

// Counter only grows. The methods take as many label values as it was declared
// with labels, in that order, and panic otherwise.
type Counter struct{ vec *prometheus.CounterVec }

// Counter declares one.
func (r *Registry) Counter(name, help string, labels ...string) Counter {
	vec := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	r.prom.MustRegister(vec)
	if len(labels) == 0 {
		vec.WithLabelValues() // shown as 0 from the start
	}
	return Counter{vec}
}

// Inc adds one.
func (c Counter) Inc(values ...string) { c.vec.WithLabelValues(values...).Inc() }

// Add adds n, which is not negative.
func (c Counter) Add(n float64, values ...string) { c.vec.WithLabelValues(values...).Add(n) }

// Gauge goes up and down. For label values see Counter.
type Gauge struct{ vec *prometheus.GaugeVec }

// Gauge declares one.
func (r *Registry) Gauge(name, help string, labels ...string) Gauge {
	vec := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
	r.prom.MustRegister(vec)
	if len(labels) == 0 {
		vec.WithLabelValues()
	}
	return Gauge{vec}
}

// Set replaces the value.
func (g Gauge) Set(v float64, values ...string) { g.vec.WithLabelValues(values...).Set(v) }

// Add adds n, which may be negative.
func (g Gauge) Add(n float64, values ...string) { g.vec.WithLabelValues(values...).Add(n) }

// Delete forgets one combination of label values, as of a channel that is gone.
func (g Gauge) Delete(values ...string) { g.vec.DeleteLabelValues(values...) }

// Histogram counts observations in buckets. For label values see Counter.
type Histogram struct{ vec *prometheus.HistogramVec }

// Histogram declares one; buckets are upper bounds, ascending, in the metric's
// unit (seconds for times).
func (r *Registry) Histogram(name, help string, buckets []float64, labels ...string) Histogram {
	vec := prometheus.NewHistogramVec(prometheus.HistogramOpts{Name: name, Help: help, Buckets: buckets}, labels)
	r.prom.MustRegister(vec)
	if len(labels) == 0 {
		vec.WithLabelValues()
	}
	return Histogram{vec}
}

// Observe counts v.
func (h Histogram) Observe(v float64, values ...string) { h.vec.WithLabelValues(values...).Observe(v) }

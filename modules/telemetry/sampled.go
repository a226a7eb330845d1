package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Sample is one value of a metric that is read when the metrics are asked for.
type Sample struct {
	Value  float64
	Labels []string // values, in the order of the declared labels
}

// Sampled declares a gauge whose values read gives at each scrape: for what is
// known elsewhere already, like a queue's depth. read is called by many goroutines
// at once, must answer within the scrape's patience, and gives each combination of
// labels once. An error takes this gauge out of that one scrape.
func (r *Registry) Sampled(name, help string, labels []string, read func() ([]Sample, error)) {
	r.sampled(prometheus.GaugeValue, name, help, labels, read)
}

// SampledCounter is Sampled for what only grows and is counted elsewhere.
func (r *Registry) SampledCounter(name, help string, labels []string, read func() ([]Sample, error)) {
	r.sampled(prometheus.CounterValue, name, help, labels, read)
}

func (r *Registry) sampled(kind prometheus.ValueType, name, help string, labels []string, read func() ([]Sample, error)) {
	r.prom.MustRegister(&sampled{kind: kind, desc: prometheus.NewDesc(name, help, labels, nil), read: read})
}

type sampled struct {
	kind prometheus.ValueType
	desc *prometheus.Desc
	read func() ([]Sample, error)
}

var _ prometheus.Collector = (*sampled)(nil)

func (s *sampled) Describe(out chan<- *prometheus.Desc) { out <- s.desc }

func (s *sampled) Collect(out chan<- prometheus.Metric) {
	samples, err := s.read()
	if err != nil {
		out <- prometheus.NewInvalidMetric(s.desc, err)
		return
	}
	for _, sample := range samples {
		metric, err := prometheus.NewConstMetric(s.desc, s.kind, sample.Value, sample.Labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(s.desc, err)
		}
		out <- metric
	}
}

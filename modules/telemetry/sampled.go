package telemetry

import (
	"github.com/prometheus/client_golang/prometheus"
)

// Sample is one value of a gauge that is read when the metrics are asked for.
type Sample struct {
	Value  float64
	Labels []string // values, in the order of the declared labels
}

// Sampled declares a gauge whose values read gives at each scrape: for what is
// known elsewhere already, like a queue's depth. read is called by many goroutines
// at once, must answer within the scrape's patience, and gives each combination of
// labels once. An error takes this gauge out of that one scrape.
func (r *Registry) Sampled(name, help string, labels []string, read func() ([]Sample, error)) {
	r.prom.MustRegister(&sampled{desc: prometheus.NewDesc(name, help, labels, nil), read: read})
}

type sampled struct {
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
		metric, err := prometheus.NewConstMetric(s.desc, prometheus.GaugeValue, sample.Value, sample.Labels...)
		if err != nil {
			metric = prometheus.NewInvalidMetric(s.desc, err)
		}
		out <- metric
	}
}

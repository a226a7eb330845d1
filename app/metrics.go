package app

import (
	"context"
	"slices"
	"strconv"
	"sync"
	"time"

	"monitor/modules/store"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
)

// scrapeTimeout bounds what one metric asks the database.
const scrapeTimeout = 5 * time.Second

// declareMetrics joins what the parts know of themselves to /metrics.
func (p *process) declareMetrics() {
	p.queueMetrics()
	p.sharedMetrics()
	p.conditionMetrics()
	p.replicaMetrics()
	p.outboxMetrics()
	p.endpointMetrics()
	if p.has("api") {
		p.monitorMetrics()
	}
}

// one is a single sample without labels.
func one(v float64) ([]telemetry.Sample, error) { return []telemetry.Sample{{Value: v}}, nil }

// gauge declares a gauge that is read without asking anybody.
func (p *process) gauge(name, help string, read func() float64) {
	p.metrics.Sampled(name, help, nil, func() ([]telemetry.Sample, error) { return one(read()) })
}

// counter declares a counter that is counted elsewhere.
func (p *process) counter(name, help string, read func() uint64) {
	p.metrics.SampledCounter(name, help, nil, func() ([]telemetry.Sample, error) { return one(float64(read())) })
}

func (p *process) queueMetrics() {
	p.metrics.Sampled("monitor_queue_jobs", "Checks in the queue; nothing while Redis does not answer.", []string{"state"}, func() ([]telemetry.Sample, error) {
		if p.redisAway() {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		d, err := p.queue.Depth(ctx)
		return []telemetry.Sample{
			{Value: float64(d.Ready), Labels: []string{"ready"}},
			{Value: float64(d.Delayed), Labels: []string{"delayed"}},
			{Value: float64(d.Leased), Labels: []string{"leased"}},
		}, err
	})
	p.counter("monitor_queue_expired_total", "Jobs that were too old to be run.", func() uint64 { return p.queue.Stats().Expired })
	p.counter("monitor_queue_reclaimed_total", "Leases that ended without an acknowledgement.", func() uint64 { return p.queue.Stats().Reclaimed })
	p.counter("monitor_queue_dropped_total", "Jobs dropped beyond the queue's bound.", func() uint64 { return p.queue.Stats().Dropped })
}

// conditionMetrics are what the banner of the pages says.
func (p *process) conditionMetrics() {
	p.metrics.Sampled("monitor_condition", "1 while something is not as it should be with the program itself, as this process sees it.",
		[]string{"name"}, func() ([]telemetry.Sample, error) {
			now := p.conditions(context.Background()) // at once, asking nobody
			var out []telemetry.Sample
			for _, name := range uptime.ConditionNames() {
				s := telemetry.Sample{Labels: []string{name}}
				if slices.ContainsFunc(now, func(c uptime.Condition) bool { return c.Name == name }) {
					s.Value = 1
				}
				out = append(out, s)
			}
			return out, nil
		})
}

// replicaMetrics are about database.replica_urls, by the place in the setting.
func (p *process) replicaMetrics() {
	if len(p.cfg.Database.ReplicaURLs) == 0 {
		return
	}
	each := func(value func(store.ReplicaState) float64) func() ([]telemetry.Sample, error) {
		return func() ([]telemetry.Sample, error) {
			var out []telemetry.Sample
			for i, r := range p.store.Replicas() {
				out = append(out, telemetry.Sample{Value: value(r), Labels: []string{strconv.Itoa(i + 1)}})
			}
			return out, nil
		}
	}
	label := []string{"replica"}
	p.metrics.Sampled("monitor_database_replica_used", "1 while pages read from a replica of the database.", label, each(func(r store.ReplicaState) float64 {
		if r.Usable {
			return 1
		}
		return 0
	}))
	p.metrics.Sampled("monitor_database_replica_lag_seconds", "How far a replica is behind the primary.", label,
		each(func(r store.ReplicaState) float64 { return r.Lag.Seconds() }))
}

// sharedMetrics are about what processes share.
func (p *process) sharedMetrics() {
	if p.redis == nil {
		return
	}
	p.gauge("monitor_redis_up", "1 while Redis answers this process.", func() float64 {
		if p.redis.State().Up {
			return 1
		}
		return 0
	})
	p.gauge("monitor_clock_offset_seconds", "The queue's clock minus this machine's.", func() float64 {
		return p.redis.State().Offset.Seconds()
	})
	p.metrics.Sampled("monitor_processes", "Processes seen within 15 s, by role; nothing while Redis does not answer.", []string{"role"}, func() ([]telemetry.Sample, error) {
		if p.redisAway() {
			return nil, nil
		}
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		members, err := p.fleet.Members(ctx)
		count := map[string]int{}
		for _, m := range members {
			for _, role := range m.Roles {
				count[role]++
			}
		}
		var out []telemetry.Sample
		for _, role := range roleNames() {
			out = append(out, telemetry.Sample{Value: float64(count[role]), Labels: []string{role}})
		}
		return out, err
	})
}

func (p *process) outboxMetrics() {
	p.metrics.Sampled("monitor_deliveries", "Deliveries that are not finished, and dead ones.", []string{"state"}, func() ([]telemetry.Sample, error) {
		ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
		defer cancel()
		d, err := p.store.Outbox(ctx)
		return []telemetry.Sample{
			{Value: float64(d.Due), Labels: []string{"due"}},
			{Value: float64(d.Waiting), Labels: []string{"waiting"}},
			{Value: float64(d.Dead), Labels: []string{"dead"}},
		}, err
	})
}

// endpointMetrics show which channels are held back, as this process sees them.
func (p *process) endpointMetrics() {
	p.metrics.Sampled("monitor_channel_breaker", "1 for the state of each channel's circuit breaker.",
		[]string{"channel_id", "state"}, func() ([]telemetry.Sample, error) {
			var out []telemetry.Sample
			for _, e := range p.gate.Endpoints() {
				out = append(out, telemetry.Sample{Value: 1, Labels: []string{strconv.FormatInt(e.ChannelID, 10), string(e.State)}})
			}
			return out, nil
		})
	p.metrics.Sampled("monitor_channel_in_flight", "Messages on their way to each channel.",
		[]string{"channel_id"}, func() ([]telemetry.Sample, error) {
			var out []telemetry.Sample
			for _, e := range p.gate.Endpoints() {
				out = append(out, telemetry.Sample{Value: float64(e.InFlight), Labels: []string{strconv.FormatInt(e.ChannelID, 10)}})
			}
			return out, nil
		})
}

// monitorMetrics are about what is watched.
func (p *process) monitorMetrics() {
	labels := []string{"id", "name", "type"}
	known := &scraped{read: p.gauges, clock: p.app.Clock}
	each := func(value func(uptime.MonitorGauge) (float64, bool)) func() ([]telemetry.Sample, error) {
		return func() ([]telemetry.Sample, error) { return known.samples(value) }
	}
	p.metrics.Sampled("monitor_up", "1 while a monitor is up or degraded, 0 while it is down; absent while that is not known.",
		labels, each(func(m uptime.MonitorGauge) (float64, bool) {
			switch m.Status {
			case uptime.Up, uptime.Degraded:
				return 1, true
			case uptime.Down:
				return 0, true
			default:
				return 0, false
			}
		}))
	p.metrics.Sampled("monitor_response_seconds", "Response time of a monitor's newest check.",
		labels, each(func(m uptime.MonitorGauge) (float64, bool) {
			return m.Response.Seconds(), m.Status != uptime.Paused && m.Response > 0
		}))
	p.metrics.Sampled("monitor_certificate_expiry_seconds", "Unix time at which the certificate last seen ends.",
		labels, each(func(m uptime.MonitorGauge) (float64, bool) {
			return float64(m.Certificate.Unix()), !m.Certificate.IsZero()
		}))
}

// scrapedFor is how long a scrape uses what another has read: a scrape has three
// metrics of each monitor, and strangers may ask for it as often as they like.
const scrapedFor = time.Second

// scraped are the monitors as scrapes see them. It is safe for concurrent use:
// one reads, the others wait for it.
type scraped struct {
	read  func(ctx context.Context) ([]uptime.MonitorGauge, error)
	clock uptime.Clock

	mu       sync.Mutex
	monitors []uptime.MonitorGauge
	err      error
	at       time.Time // of the last reading; a failed one counts, or all would wait for the next
}

// samples gives one for each monitor that has the value.
func (s *scraped) samples(value func(uptime.MonitorGauge) (float64, bool)) ([]telemetry.Sample, error) {
	monitors, err := s.list()
	var out []telemetry.Sample
	for _, m := range monitors {
		if v, ok := value(m); ok {
			out = append(out, telemetry.Sample{Value: v, Labels: []string{strconv.FormatInt(m.ID, 10), m.Name, m.Type}})
		}
	}
	return out, err
}

func (s *scraped) list() ([]uptime.MonitorGauge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if age := s.clock().Sub(s.at); !s.at.IsZero() && age >= 0 && age < scrapedFor {
		return s.monitors, s.err
	}
	ctx, cancel := context.WithTimeout(context.Background(), scrapeTimeout)
	defer cancel()
	s.monitors, s.err = s.read(ctx)
	s.at = s.clock()
	return s.monitors, s.err
}

// gauges reads the monitors of all workspaces in steps, for one scrape.
func (p *process) gauges(ctx context.Context) ([]uptime.MonitorGauge, error) {
	const step = 1000
	var out []uptime.MonitorGauge
	after := int64(0)
	for {
		some, err := p.store.MonitorGauges(ctx, after, step)
		if err != nil {
			return nil, err
		}
		out = append(out, some...)
		if len(some) < step {
			return out, nil
		}
		after = some[len(some)-1].ID
	}
}

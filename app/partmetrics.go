package app

import (
	"time"

	"monitor/modules/notifier"
	"monitor/modules/recorder"
	"monitor/modules/scheduler"
	"monitor/modules/telemetry"
	"monitor/modules/uptime"
	"monitor/modules/worker"
)

func (p *process) schedulerMetrics(s *scheduler.Scheduler) {
	p.gauge("monitor_scheduler_leading", "1 in the process that leads.", func() float64 {
		if s.Stats().Leading {
			return 1
		}
		return 0
	})
	p.gauge("monitor_scheduler_lag_seconds", "How far publishing is behind the clock; 0 while it is ahead, as it should be.", func() float64 {
		if st := s.Stats(); st.Leading {
			return max(st.Lag.Seconds(), 0)
		}
		return 0
	})
	p.gauge("monitor_scheduler_monitors", "Monitors in the leader's timetable.", func() float64 { return float64(s.Stats().Monitors) })
	p.gauge("monitor_scheduler_rate", "Checks per second that the monitors ask for.", func() float64 { return s.Stats().Rate })
	p.counter("monitor_scheduler_published_total", "Jobs published.", func() uint64 { return s.Stats().Published })
	p.counter("monitor_scheduler_publish_errors_total", "Batches that could not be published at once.", func() uint64 { return s.Stats().PublishErrors })
	p.counter("monitor_scheduler_missed_total", "Slots booked as missed because they were too old.", func() uint64 { return s.Stats().MissedSlots })
	p.counter("monitor_scheduler_refresh_errors_total", "Reads of changed monitors that failed.", func() uint64 { return s.Stats().RefreshErrors })
}

func (p *process) workerMetrics(w *worker.Worker, r *recorder.Recorder) {
	p.metrics.SampledCounter("monitor_checks_total", "Checks made, by what they found.", []string{"status"}, func() ([]telemetry.Sample, error) {
		c := w.Stats().Checks
		sample := func(n int64, s uptime.Status) telemetry.Sample {
			return telemetry.Sample{Value: float64(n), Labels: []string{string(s)}}
		}
		return []telemetry.Sample{
			sample(c.Up, uptime.Up), sample(c.Degraded, uptime.Degraded),
			sample(c.Down, uptime.Down), sample(c.Unknown, uptime.Unknown),
		}, nil
	})
	p.metrics.Sampled("monitor_check_lateness_seconds", "How late checks began after their slot, since the start.",
		[]string{"quantile"}, func() ([]telemetry.Sample, error) {
			late := w.Stats().Late
			return []telemetry.Sample{
				{Value: late.Quantile(0.5).Seconds(), Labels: []string{"0.5"}},
				{Value: late.Quantile(0.99).Seconds(), Labels: []string{"0.99"}},
			}, nil
		})
	p.gauge("monitor_worker_running", "Checks in flight.", func() float64 { return float64(w.Stats().Running) })
	p.gauge("monitor_worker_backlog", "Jobs that are due while no checker is free.", func() float64 { return float64(w.Stats().Backlog) })
	p.counter("monitor_worker_faults_total", "Checks that could not be made: our own fault.", func() uint64 { return w.Stats().Faults })
	p.gauge("monitor_recorder_held", "Results that are not stored yet.", func() float64 { return float64(r.Stats().Held) })
	p.counter("monitor_results_stored_total", "Results stored.", func() uint64 { return r.Stats().Stored })
	p.counter("monitor_results_dropped_total", "Results of monitors paused or deleted meanwhile.", func() uint64 { return r.Stats().Dropped })
	p.counter("monitor_results_poisoned_total", "Results that the store refused for good.", func() uint64 { return r.Stats().Poisoned })
	p.counter("monitor_slots_missed_total", "Slots booked as missed by this process.", func() uint64 { return r.Stats().Missed })
	p.counter("monitor_record_failures_total", "Transactions of results that failed and were tried again.", func() uint64 { return r.Stats().Failures })
}

// deliveryObserver counts what the notifier does.
type deliveryObserver struct {
	attempts, ended telemetry.Counter
	took            telemetry.Histogram
}

func (p *process) deliveryObserver() deliveryObserver {
	return deliveryObserver{
		attempts: p.metrics.Counter("monitor_delivery_attempts_total", "Attempts to deliver.", "channel_type", "outcome"),
		ended:    p.metrics.Counter("monitor_deliveries_ended_total", "Deliveries that reached a final status.", "channel_type", "status"),
		took: p.metrics.Histogram("monitor_delivery_attempt_seconds", "How long attempts took.",
			[]float64{.005, .01, .05, .1, .5, 1, 2, 5, 10}, "channel_type"),
	}
}

// Attempted counts one attempt.
func (o deliveryObserver) Attempted(channelType string, outcome uptime.AttemptOutcome, took, _ time.Duration) {
	o.attempts.Inc(channelType, string(outcome))
	o.took.Observe(took.Seconds(), channelType)
}

// Ended counts one delivery that reached a final status.
func (o deliveryObserver) Ended(channelType string, status uptime.DeliveryStatus) {
	o.ended.Inc(channelType, string(status))
}

func (p *process) notifierMetrics(n *notifier.Notifier) {
	p.gauge("monitor_notifier_in_flight", "Attempts on their way.", func() float64 { return float64(n.Stats().InFlight) })
}

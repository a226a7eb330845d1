package app

import (
	"math/rand/v2"

	"monitor/modules/auth"
	"monitor/modules/housekeeper"
	"monitor/modules/notifier"
	"monitor/modules/recorder"
	"monitor/modules/scheduler"
	"monitor/modules/service"
	"monitor/modules/uptime"
	"monitor/modules/worker"
)

// schedulerParts are what runs under the leader.
func (p *process) schedulerParts() ([]service.Service, error) {
	s, err := scheduler.New(scheduler.Params{
		Config: scheduler.Config{Tick: p.cfg.Scheduler.Tick, Refresh: p.cfg.Scheduler.Refresh},
		Store:  p.store, Slots: p.queue, Leader: p.leader, Bus: p.bus, Clock: p.clock, Log: p.log,
	})
	if err != nil {
		return nil, err
	}
	h, err := housekeeper.New(housekeeper.Params{
		Kept:    p.manage.KeptHistory,
		Records: p.store, Auditor: p.store, Leader: p.leader, Bus: p.bus, Clock: p.clock, Log: p.log,
	})
	if err != nil {
		return nil, err
	}
	p.schedulerMetrics(s)
	return []service.Service{{Name: "scheduler", Run: s.Run}, {Name: "housekeeper", Run: h.Run}}, nil
}

// workerParts make checks and store what they found. The recorder is begun
// first, so that it is stopped last.
func (p *process) workerParts() ([]service.Service, error) {
	d := recorder.Deps{Store: p.store, Queue: p.queue, Bus: p.bus, Decide: uptime.Judge(auth.ID), Clock: p.clock, Log: p.log}
	if p.has("notifier") { // alerts go from hand to hand
		d.Courier = p.courier()
	}
	r := recorder.New(d, recorder.Config{Spool: p.cfg.Worker.Spool})
	w := worker.New(worker.Deps{
		Queue: p.queue, Prober: p.probes, Catalog: p.probes, Sealer: p.sealer, Recorder: r,
		Dialer: p.guard, Alarms: p.store, Clock: p.clock, Log: p.log,
	}, worker.Config{
		Concurrency: p.cfg.Worker.Concurrency, Region: p.cfg.Worker.Region, Canaries: p.cfg.Worker.Canaries, Name: hostName(),
	})
	p.vitals.worker = w
	p.workerMetrics(w, r)
	return []service.Service{{Name: "recorder", Run: r.Run}, {Name: "worker", Run: w.Run}}, nil
}

func (p *process) notifierParts() ([]service.Service, error) {
	n := p.courier()
	p.notifierMetrics(n)
	return []service.Service{{Name: "notifier", Run: n.Run}}, nil
}

// courier is the notifier of this process, made by whoever asks first.
func (p *process) courier() *notifier.Notifier {
	if p.notifier == nil {
		p.notifier = notifier.New(notifier.Deps{
			Outbox: p.store, Alarms: p.store, Channels: p.channels, Gate: p.gate, Sealer: p.sealer,
			Bus: p.bus, Observer: p.deliveryObserver(), Log: p.log, Clock: p.clock, Random: rand.Float64,
		})
	}
	return p.notifier
}

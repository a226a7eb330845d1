package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"
)

// changeTold makes changes by one process of the API and waits for them at the
// target, by way of the leading scheduler and a worker, and on the event stream of
// another process.
func changeTold(ctx context.Context, w *world) error {
	if err := w.begin(ctx, fleet{apis: 2, schedulers: 2, workers: 2, notifiers: 1}); err != nil {
		return err
	}
	of, err := w.watch(ctx, monitors{n: 1, interval: time.Hour, timeout: time.Second})
	if err != nil {
		return err
	}
	if _, err := w.leader(ctx); err != nil {
		return err
	}
	w.resumed(ctx, of[0].created, of, 20*time.Second)
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	heard, err := w.hear(ctx, w.api.at(w.of("api")[1]))
	if err != nil {
		return err
	}
	changes := 20
	if w.bench.long {
		changes = 200
	}
	var checked, told []time.Duration
	for range changes {
		a, b, err := w.change(ctx, of[0], heard)
		if err != nil {
			return err
		}
		told, checked = append(told, a), append(checked, b)
	}
	w.noteTimes("told on the other stream", told)
	w.noteTimes("checked by another process", checked)
	t, err := w.settle(ctx, time.Minute)
	if err == nil {
		w.checkAll(t)
	}
	return err
}

// change pauses the monitor and resumes it. It gives how long the stream took to
// tell of the pause, and the target to be asked after the resumption.
func (w *world) change(ctx context.Context, s subject, heard <-chan string) (told, checked time.Duration, err error) {
	path := fmt.Sprintf("/api/v1/monitors/%d", s.id)
	from := time.Now()
	if err := w.api.do(ctx, http.MethodPost, path+"/pause", nil, nil); err != nil {
		return 0, 0, err
	}
	for found := false; !found; {
		select {
		case data := <-heard:
			found = strings.Contains(data, `"paused"`)
		case <-time.After(10 * time.Second):
			return 0, 0, fmt.Errorf("the other stream did not tell of a pause")
		}
	}
	told = time.Since(from)
	from = time.Now()
	if err := w.api.do(ctx, http.MethodPost, path+"/resume", nil, nil); err != nil {
		return 0, 0, err
	}
	_, err = w.eventually(ctx, 10*time.Second, "the resumed monitor is checked", func() bool {
		return len(w.farm.within(s.target, from, time.Now())) > 0
	})
	return told, time.Since(from), err
}

// hear gives the data of each status event of a process's stream.
func (w *world) hear(ctx context.Context, c client) (<-chan string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, c.base+"/api/v1/events?types=status", http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "Bearer "+c.token)
	res, err := w.web.Do(req)
	if err != nil {
		return nil, err
	}
	out := make(chan string, 1000)
	w.onClose(func() { _ = res.Body.Close() })
	go func() {
		for scan := bufio.NewScanner(res.Body); scan.Scan(); {
			if data, ok := strings.CutPrefix(scan.Text(), "data:"); ok {
				out <- data
			}
		}
	}()
	return out, nil
}

// noteTimes notes the median and the longest, and finds fault with a longest over
// a second.
func (w *world) noteTimes(what string, all []time.Duration) {
	slices.Sort(all)
	longest := all[len(all)-1]
	w.note("%s: p50 %d ms, max %d ms", what, all[len(all)/2].Milliseconds(), longest.Milliseconds())
	if longest > time.Second {
		w.find("%s after %d ms, which is over a second", what, longest.Milliseconds())
	}
}

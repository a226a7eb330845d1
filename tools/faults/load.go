package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"time"

	"github.com/jackc/pgx/v5"
)

// load is clients that make, change and read monitors through a balancer of
// their own, each request by another process, and keep what they were answered.
type load struct {
	w      *world
	apis   []*process
	by     *http.Client
	turn   atomic.Int64
	serial atomic.Int64
	cancel context.CancelFunc
	done   chan struct{}

	mu      sync.Mutex
	asked   int
	wrote   []write
	broken  int // answers that did not come, after the connection stood
	first   string
	refused int // no process took the connection
	unkind  int // answered at once, and not with 2xx
	late    int // not answered with 2xx after a long wait: the machine is overloaded
}

// longWait is from when an answer is that of a machine that cannot keep up.
const longWait = 5 * time.Second

// write is one monitor that was to be made and then renamed.
type write struct {
	name          string
	made, renamed int // status; 0: no answer
	read          int // likewise, by another process than wrote
	sees          string
}

// loading sends so many requests a second until stop: a third of them each make,
// rename and read one.
func (w *world) loading(ctx context.Context, perSecond int, apis []*process) *load {
	ctx, cancel := context.WithCancel(ctx)
	l := &load{
		w: w, apis: apis, cancel: cancel, done: make(chan struct{}),
		by: &http.Client{Transport: &http.Transport{MaxIdleConnsPerHost: 16}, Timeout: 20 * time.Second},
	}
	go func() {
		defer close(l.done)
		defer l.by.CloseIdleConnections()
		var under sync.WaitGroup
		defer under.Wait()
		ticker := time.NewTicker(3 * time.Second / time.Duration(perSecond))
		defer ticker.Stop()
		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				under.Go(func() { l.round(context.WithoutCancel(ctx)) })
			}
		}
	}()
	return l
}

func (l *load) stop() {
	l.cancel()
	<-l.done
}

// round makes one monitor that is never checked, renames it and reads it.
func (l *load) round(ctx context.Context) {
	one := write{name: fmt.Sprintf("Write %d", l.serial.Add(1))}
	var answer struct {
		ID   int64  `json:"id"`
		Name string `json:"name"`
	}
	one.made = l.ask(ctx, http.MethodPost, "/api/v1/monitors", map[string]any{
		"name": one.name, "type": "http", "enabled": false, "http": map[string]any{"url": l.w.farm.url},
	}, &answer)
	if one.made == http.StatusCreated {
		path := fmt.Sprintf("/api/v1/monitors/%d", answer.ID)
		one.renamed = l.ask(ctx, http.MethodPatch, path, map[string]any{"name": one.name + " renamed"}, nil)
		one.read = l.ask(ctx, http.MethodGet, path, nil, &answer)
		one.sees = answer.Name
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.wrote = append(l.wrote, one)
}

// ask sends a request to the next process, or to another one if that takes no
// connection, as a balancer does.
func (l *load) ask(ctx context.Context, method, path string, body, into any) int {
	l.mu.Lock()
	l.asked++
	l.mu.Unlock()
	turn := int(l.turn.Add(1))
	for i := range l.apis {
		p := l.apis[(turn+i)%len(l.apis)]
		began := time.Now()
		raw, status, err := call(ctx, l.by, method, p.base()+path, l.w.api.token, body)
		var notTaken *net.OpError
		if errors.As(err, &notTaken) && notTaken.Op == "dial" {
			continue
		}
		if err != nil {
			l.fail(fmt.Sprintf("%s %s of %s: %v", method, path, p.name, err))
			return 0
		}
		if status/100 != 2 {
			l.refuse(fmt.Sprintf("%s %s of %s: %d %s", method, path, p.name, status, raw), time.Since(began))
			return status
		}
		if into != nil {
			if err := decode(raw, into); err != nil {
				l.fail(err.Error())
				return 0
			}
		}
		return status
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.refused++
	return 0
}

// refuse counts an answer that was no 2xx.
func (l *load) refuse(text string, after time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after >= longWait {
		l.late++
		return
	}
	l.unkind++
	if l.first == "" {
		l.first = text
	}
}

func (l *load) fail(text string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.broken++
	if l.first == "" {
		l.first = text
	}
}

// checkWrites: what was answered 2xx is there, and nothing is there twice
// (promise 6).
func (l *load) checkWrites(ctx context.Context) error {
	there, err := l.w.names(ctx)
	if err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	made := 0
	for _, one := range l.wrote {
		before, after := there[one.name], there[one.name+" renamed"]
		switch {
		case before+after > 1:
			l.w.find("%q was made %d times", one.name, before+after)
		case one.made/100 == 2 && before+after == 0:
			l.w.find("%q was answered %d and is not there (promise 6)", one.name, one.made)
		case one.renamed/100 == 2 && after == 0:
			l.w.find("the new name of %q was answered %d and is not there (promise 6)", one.name, one.renamed)
		case one.renamed/100 == 2 && one.read/100 == 2 && one.sees != one.name+" renamed":
			l.w.find("another process still saw %q after its new name was answered", one.sees)
		}
		if one.made/100 == 2 {
			made++
		}
	}
	l.w.note("%d requests, %d made, %d broken off, %d not taken, %d refused at once, %d after %s",
		l.asked, made, l.broken, l.refused, l.unkind, l.late, longWait)
	return nil
}

// names counts the monitors of each name.
func (w *world) names(ctx context.Context) (map[string]int, error) {
	conn, err := pgx.Connect(ctx, w.postgres.PostgresURL("monitor"))
	if err != nil {
		return nil, err
	}
	defer func() { _ = conn.Close(context.WithoutCancel(ctx)) }()
	rows, err := conn.Query(ctx, `SELECT name FROM monitors`)
	if err != nil {
		return nil, err
	}
	there := map[string]int{}
	var name string
	_, err = pgx.ForEachRow(rows, []any{&name}, func() error {
		there[name]++
		return nil
	})
	return there, err
}

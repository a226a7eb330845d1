package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"time"

	"monitor/tools/servers"
)

// bareCommand makes this program the bare loop.
const bareCommand = "bare"

// runBare asks n targets at the slots that monitors 1 to n have, each on a fresh
// connection, and does nothing with the answers: what a check costs without a
// product round it, by the standard library's client as it comes. With -closed it
// asks as fast as so many at a time can. It ends with its standard input.
func runBare(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet(bareCommand, flag.ContinueOnError)
	port := flags.String("port", "", "of the targets")
	n := flags.Int("n", 0, "how many")
	interval := flags.Duration("interval", time.Second, "of each")
	closed := flags.Int("closed", 0, "how many at a time, without slots")
	if err := flags.Parse(args); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		cancel()
	}()
	l := loop{
		client: &http.Client{Timeout: 5 * time.Second, Transport: &http.Transport{DisableKeepAlives: true}},
		urls:   make([]string, *n),
	}
	for i := range l.urls {
		l.urls[i] = "http://" + (&targets{port: *port}).host(i) + "/" + strconv.Itoa(i)
	}
	if *closed > 0 {
		l.flat(ctx, *closed)
	} else {
		l.paced(ctx, *interval)
	}
	return nil
}

type loop struct {
	client *http.Client
	urls   []string
}

func (l loop) get(ctx context.Context, url string) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return
	}
	res, err := l.client.Do(req)
	if err != nil {
		return // the targets see what is missing
	}
	_, _ = io.Copy(io.Discard, res.Body)
	_ = res.Body.Close()
}

func (l loop) flat(ctx context.Context, workers int) {
	var working sync.WaitGroup
	for w := range workers {
		working.Go(func() {
			for i := w; ctx.Err() == nil; i += workers {
				l.get(ctx, l.urls[i%len(l.urls)])
			}
		})
	}
	working.Wait()
}

func (l loop) paced(ctx context.Context, interval time.Duration) {
	type turn struct {
		phase time.Duration
		url   string
	}
	turns := make([]turn, len(l.urls))
	for i, url := range l.urls {
		turns[i] = turn{time.Duration(phaseOf(int64(i+1), interval.Milliseconds())) * time.Millisecond, url}
	}
	slices.SortFunc(turns, func(a, b turn) int { return int(a.phase - b.phase) })
	var asking sync.WaitGroup
	defer asking.Wait()
	timer := time.NewTimer(0)
	defer timer.Stop()
	begun := time.Now()
	step := interval.Milliseconds()
	for round := time.UnixMilli(begun.UnixMilli() / step * step); ; round = round.Add(interval) {
		for _, t := range turns {
			if round.Add(t.phase).Before(begun) {
				continue // of the first round
			}
			wait := time.Until(round.Add(t.phase))
			timer.Reset(max(wait, 0))
			select {
			case <-timer.C:
			case <-ctx.Done():
				return
			}
			asking.Go(func() { l.get(ctx, t.url) })
		}
	}
}

// bare is the loop as a system that is measured.
type bare struct {
	port   string
	closed int

	cmd   *exec.Cmd
	input io.Closer
}

func (b *bare) name() string { return "bare" }

func (b *bare) start(_ context.Context, of plan) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	b.cmd = exec.Command(self, bareCommand, "-port", b.port, "-n", strconv.Itoa(of.monitors), //nolint:noctx // its input ends it
		"-interval", of.interval.String(), "-closed", strconv.Itoa(b.closed))
	b.cmd.Stderr, b.cmd.SysProcAttr = os.Stderr, servers.Child(false)
	if b.input, err = b.cmd.StdinPipe(); err != nil {
		return err
	}
	if err := b.cmd.Start(); err != nil {
		return fmt.Errorf("start the bare loop: %w", err)
	}
	return nil
}

func (b *bare) processes() map[string][]int { return map[string][]int{"loop": {b.cmd.Process.Pid}} }

func (b *bare) id(target int) int64 { return int64(target + 1) }

func (b *bare) counters(context.Context) (counters, error) { return counters{}, nil }

func (b *bare) stop() error {
	err := errors.Join(b.input.Close(), b.cmd.Process.Signal(syscall.SIGCONT))
	return errors.Join(err, b.cmd.Wait())
}

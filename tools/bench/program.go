package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/bits"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// program is the running binary.
type program struct {
	cmd     *exec.Cmd
	dir     string
	base    string
	token   string
	startup time.Duration // from exec to /readyz 200
	ended   chan struct{}
}

// startProgram runs serve on an empty folder and waits until it is ready.
func startProgram(ctx context.Context, binary string) (*program, error) {
	dir, err := os.MkdirTemp("", "monitor-bench-")
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir, ended: make(chan struct{})}
	p.cmd = exec.CommandContext(ctx, binary, "serve", "--data.dir", dir, "--http.addr", "127.0.0.1:0", "--log.level", "warn") //nolint:gosec // the program under test
	p.cmd.Env = append(os.Environ(), "MONITOR_LIMITS_API_PER_MINUTE=0")
	p.cmd.Stderr = os.Stderr
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	begin := time.Now()
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w (run `make build` first)", binary, err)
	}
	found := make(chan string, 1)
	go func() {
		defer close(p.ended)
		scan := bufio.NewScanner(stdout)
		for scan.Scan() {
			if m := regexp.MustCompile(`open (http://[^/\s]+)`).FindStringSubmatch(scan.Text()); m != nil {
				found <- m[1]
			}
		}
		_ = p.cmd.Wait() // its end is what matters
	}()
	select {
	case p.base = <-found:
	case <-p.ended:
		return nil, errors.New("the program ended before it was ready")
	}
	if _, err := p.call(ctx, http.MethodGet, "/readyz", nil); err != nil {
		p.stop()
		return nil, err
	}
	p.startup = time.Since(begin)
	return p, p.setup(ctx)
}

func (p *program) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM) // it may have ended
	<-p.ended
	_ = os.RemoveAll(p.dir)
}

func (p *program) setup(ctx context.Context) error {
	raw, err := p.call(ctx, http.MethodPost, "/api/v1/setup", map[string]string{
		"email": "bench@example.com", "password": "a password for benches", "name": "Bench",
	})
	if err != nil {
		return err
	}
	var pair struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(raw, &pair); err != nil {
		return err
	}
	p.token = pair.AccessToken
	raw, err = p.call(ctx, http.MethodPost, "/api/v1/tokens", map[string]string{"name": "bench", "role": "owner"})
	if err != nil {
		return err
	}
	var token struct {
		Secret string `json:"secret"`
	}
	if err := json.Unmarshal(raw, &token); err != nil {
		return err
	}
	p.token = token.Secret
	return nil
}

func (p *program) createMonitors(ctx context.Context, o options, target string, progress io.Writer) ([]int64, error) {
	ids := make([]int64, 0, o.monitors)
	for i := range o.monitors {
		raw, err := p.call(ctx, http.MethodPost, "/api/v1/monitors", map[string]any{
			"name": fmt.Sprintf("bench %04d", i), "type": "http", "interval": o.interval.String(), "timeout": "5s",
			"http": map[string]any{"url": fmt.Sprintf("%s/%d", target, i)},
		})
		if err != nil {
			return nil, err
		}
		var m struct {
			ID int64 `json:"id"`
		}
		if err := json.Unmarshal(raw, &m); err != nil {
			return nil, err
		}
		ids = append(ids, m.ID)
		step(progress, "creating monitors", i+1, o.monitors)
	}
	return ids, nil
}

// result is what is read of a stored result.
type result struct {
	ScheduledAt time.Time `json:"scheduled_at"`
	StartedAt   time.Time `json:"started_at"`
	Status      string    `json:"status"`
	Attempt     int       `json:"attempt"`
}

func (p *program) results(ctx context.Context, id int64, from, to time.Time) ([]result, error) {
	var all []result
	cursor := ""
	for {
		q := url.Values{
			"limit": {"200"}, "from": {from.UTC().Format(time.RFC3339Nano)},
			"to": {to.Add(time.Second).UTC().Format(time.RFC3339Nano)},
		}
		if cursor != "" {
			q.Set("cursor", cursor)
		}
		raw, err := p.call(ctx, http.MethodGet, fmt.Sprintf("/api/v1/monitors/%d/results?%s", id, q.Encode()), nil)
		if err != nil {
			return nil, err
		}
		var page struct {
			Data []result `json:"data"`
			Next *string  `json:"next_cursor"`
		}
		if err := json.Unmarshal(raw, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Data...)
		if page.Next == nil {
			return all, nil
		}
		cursor = *page.Next
	}
}

// call makes one request and gives the body of an answer below 300.
func (p *program) call(ctx context.Context, method, path string, body any) ([]byte, error) {
	var reader io.Reader = http.NoBody
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		reader = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(ctx, method, p.base+path, reader)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Content-Type", "application/json")
	if p.token != "" {
		req.Header.Set("Authorization", "Bearer "+p.token)
	}
	res, err := (&http.Client{Timeout: time.Minute}).Do(req)
	if err != nil {
		return nil, err
	}
	defer func() { _ = res.Body.Close() }()
	raw, err := io.ReadAll(res.Body)
	if err != nil {
		return nil, err
	}
	if res.StatusCode >= http.StatusMultipleChoices {
		return nil, fmt.Errorf("%s %s answered %d: %s", method, path, res.StatusCode, raw)
	}
	return raw, nil
}

// usage is what the process has used so far.
type usage struct {
	cpu             time.Duration // user and system
	rssMB, rssMaxMB float64
}

// usage reads /proc (proc(5)): clock ticks are 1/100 s on Linux.
func (p *program) usage() (usage, error) {
	pid := strconv.Itoa(p.cmd.Process.Pid)
	stat, err := os.ReadFile("/proc/" + pid + "/stat")
	if err != nil {
		return usage{}, err
	}
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	var u usage
	for _, i := range []int{11, 12} { // utime, stime
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return u, err
		}
		u.cpu += time.Duration(n) * 10 * time.Millisecond
	}
	status, err := os.ReadFile("/proc/" + pid + "/status")
	if err != nil {
		return u, err
	}
	for line := range strings.Lines(string(status)) {
		name, rest, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
		switch name {
		case "VmRSS":
			u.rssMB = kb / 1000
		case "VmHWM":
			u.rssMaxMB = kb / 1000
		}
	}
	return u, nil
}

// phaseOf is the public rule of slots (docs and the package uptime): interval ×
// frac(id × 0.6180339887…) in whole milliseconds, on 64 bits.
func phaseOf(id, stepMS int64) int64 {
	hi, _ := bits.Mul64(uint64(id)*0x9E3779B97F4A7C15, uint64(stepMS)) //nolint:gosec // ids and steps are positive
	return int64(hi)                                                   //nolint:gosec // below stepMS
}

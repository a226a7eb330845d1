//go:build unix

package probe

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/outbound"
	"monitor/modules/uptime"
)

// benchTarget starts a target in a process of its own, whose CPU time is not
// counted: the test binary, which TestMain of the other package makes one.
func benchTarget(b *testing.B) string {
	b.Helper()
	target := exec.CommandContext(b.Context(), os.Args[0], "-test.run=^$")
	target.Env = append(os.Environ(), "PROBE_BENCH_TARGET=1")
	stdin, err := target.StdinPipe() // its end ends the target
	require.NoError(b, err)
	stdout, err := target.StdoutPipe()
	require.NoError(b, err)
	require.NoError(b, target.Start())
	b.Cleanup(func() {
		_ = stdin.Close()
		_ = target.Wait()
	})
	address, err := bufio.NewReader(stdout).ReadString('\n')
	require.NoError(b, err)
	return strings.TrimSpace(address)
}

// spent is the CPU time of this process so far.
func spent(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	require.NoError(b, syscall.Getrusage(syscall.RUSAGE_SELF, &u))
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// BenchmarkProbe compares what a check costs with net/http's transport below it,
// a loop of http.Client, and the least that a connection, a write and a read cost.
func BenchmarkProbe(b *testing.B) {
	address := benchTarget(b)
	guard, err := outbound.New(outbound.DefaultConfig())
	require.NoError(b, err)
	check := func(change func(*httpType), settings map[string]any) func(context.Context) error {
		h := newHTTP(Deps{Guard: guard, Clock: uptime.SystemClock})
		change(h)
		r, err := register([]Type{h})
		require.NoError(b, err)
		raw, err := json.Marshal(settings)
		require.NoError(b, err)
		spec := uptime.Spec{Type: "http", Timeout: 10 * time.Second, Settings: raw}
		return func(ctx context.Context) error {
			o, err := r.Probe(ctx, spec, false)
			if err == nil && o.Status != uptime.Up {
				err = io.ErrNoProgress
			}
			return err
		}
	}
	plain := map[string]any{"url": "http://" + address + "/", "expected_status": []string{"200-299"}, "headers": map[string]string{}, "method": "GET"}
	secret := map[string]any{"url": "http://" + address + "/", "headers": map[string]string{"Authorization": "Bearer abcdefgh"}}
	bare := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	for _, c := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"Lean", check(func(*httpType) {}, plain)},
		{"LeanSecret", check(func(*httpType) {}, secret)},
		{"NetHTTP", check(func(h *httpType) { h.onlyNetHTTP = true }, plain)},
		{"BareGET", func(ctx context.Context) error { return bareGET(ctx, bare, "http://"+address+"/") }},
		{"Raw", func(ctx context.Context) error { return rawGET(ctx, address) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			ctx, cancel := context.WithCancel(b.Context()) // as the worker's
			defer cancel()
			b.ReportAllocs()
			b.SetParallelism(4)
			before := spent(b)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					if err := c.do(ctx); err != nil {
						b.Error(err)
					}
				}
			})
			b.ReportMetric(float64((spent(b)-before).Nanoseconds())/1e3/float64(b.N), "cpu-µs/op")
		})
	}
}

func bareGET(ctx context.Context, client *http.Client, url string) error {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	_, err = io.Copy(io.Discard, response.Body)
	_ = response.Body.Close()
	return err
}

func rawGET(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{KeepAlive: -1}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+address+"\r\nUser-Agent: monitor/dev\r\nAccept: */*\r\nConnection: close\r\n\r\n"); err != nil {
		return err
	}
	var answer [512]byte
	_, err = conn.Read(answer[:])
	return err
}

package lock_test

import (
	"bufio"
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"monitor/modules/lock"
	"monitor/modules/redisconn"
	"monitor/modules/testenv"
	"monitor/modules/uptime"
)

// childEnv holds the address at which this test binary campaigns as a process of
// its own, telling what happens on its output.
const childEnv = "MONITOR_LOCK_CHILD"

func leadAsChild() {
	conn, err := redisconn.Open(redisconn.Params{
		URL: os.Getenv(childEnv), Name: "child", Log: slog.New(slog.DiscardHandler), Clock: uptime.SystemClock,
	})
	if err != nil {
		panic(err)
	}
	l, err := lock.NewQuickRedis(redisParams(conn, &counter{}), short)
	if err != nil {
		panic(err)
	}
	_ = l.Lead(context.Background(), func(ctx context.Context, _ int64) error {
		say("leads")
		<-ctx.Done()
		say("ended")
		return nil
	})
}

func say(word string) {
	if _, err := fmt.Fprintln(os.Stdout, "child", word); err != nil {
		panic(err)
	}
}

// A leader that is paused for three leases and woken knows at once that it no
// longer leads: by its own clock, whatever the server would say.
func TestPausedLeaderKnowsWhenItWakes(t *testing.T) {
	t.Parallel()
	url := testenv.Redis(t)
	self, err := os.Executable()
	require.NoError(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childEnv+"="+url)
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	words := make(chan string, 10)
	read := make(chan struct{})
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if word, ok := strings.CutPrefix(lines.Text(), "child "); ok {
				words <- word
			}
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	require.Equal(t, "leads", receive(t, words, patience))

	paused := time.Now()
	require.NoError(t, cmd.Process.Signal(syscall.SIGSTOP))
	other := contend(t, open(t, url), &counter{})
	second := other.leads(patience)
	require.Less(t, time.Since(paused), short+short/10+ease)
	second.stays(t, time.Until(paused.Add(3*short)))
	other.stop() // the key is free: an extension or a win would succeed
	require.NoError(t, receive(t, other.done, patience))
	other.done <- nil // for the clean-up

	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	woken := time.Now()
	require.Equal(t, "ended", receive(t, words, patience))
	require.Less(t, time.Since(woken), time.Second)
}

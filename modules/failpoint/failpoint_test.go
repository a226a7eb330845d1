package failpoint_test

import (
	"bufio"
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// build builds a folder's program and gives its path.
func build(t *testing.T, folder string, flags ...string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	cmd := exec.CommandContext(t.Context(), "go", append(append([]string{"build", "-o", path}, flags...), folder)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
	return path
}

// ran is how a program ended.
type ran struct {
	out    string
	said   string // on the standard error
	code   int
	signal syscall.Signal // 0: it ended by itself
}

func run(t *testing.T, path, points, seed string) ran {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Env = append(os.Environ(), "MONITOR_FAILPOINTS="+points, "MONITOR_FAILPOINTS_SEED="+seed)
	var out, said bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &said
	_ = cmd.Run() // its state says it all
	r := ran{out: out.String(), said: said.String(), code: cmd.ProcessState.ExitCode()}
	if status, ok := cmd.ProcessState.Sys().(syscall.WaitStatus); ok && status.Signaled() {
		r.signal = status.Signal()
	}
	return r
}

func TestArmed(t *testing.T) {
	t.Parallel()
	program := build(t, "./testdata/hit", "-tags", "faults")

	t.Run("Nothing", func(t *testing.T) {
		t.Parallel()
		r := run(t, program, "", "")
		require.Equal(t, 0, r.code)
		require.Equal(t, 10, strings.Count(r.out, "passed"))
		require.NotContains(t, r.out, "error")
		require.Contains(t, r.out, "sent")
	})
	t.Run("KillAtTheThirdHit", func(t *testing.T) {
		t.Parallel()
		r := run(t, program, "hit.place=kill@3", "")
		require.Equal(t, syscall.SIGKILL, r.signal)
		require.Equal(t, 2, strings.Count(r.out, "passed"))
	})
	t.Run("KillAtTheFirstHit", func(t *testing.T) {
		t.Parallel()
		r := run(t, program, "hit.place=kill", "")
		require.Equal(t, syscall.SIGKILL, r.signal)
		require.Empty(t, r.out)
	})
	t.Run("KillWhenARequestIsWritten", func(t *testing.T) {
		t.Parallel()
		r := run(t, program, "hit.written=kill", "")
		require.Equal(t, syscall.SIGKILL, r.signal)
		require.Equal(t, 10, strings.Count(r.out, "passed"))
		require.NotContains(t, r.out, "sent")
	})
	t.Run("Delay", func(t *testing.T) {
		t.Parallel()
		began := time.Now()
		r := run(t, program, "hit.place=delay:20ms", "")
		require.Equal(t, 0, r.code)
		require.GreaterOrEqual(t, time.Since(began), 200*time.Millisecond)
	})
	t.Run("SomeErrorsByTheSeed", func(t *testing.T) {
		t.Parallel()
		first, again := run(t, program, "hit.error=error:0.5", "7"), run(t, program, "hit.error=error:0.5", "7")
		require.Equal(t, first.out, again.out)
		require.Contains(t, first.out, "error")
		require.Less(t, strings.Count(first.out, "error"), 10)
		require.Equal(t, 10, strings.Count(run(t, program, "hit.error=error", "").out, "error"))
		require.Zero(t, strings.Count(run(t, program, "hit.error=error:0", "").out, "error"))
	})
	t.Run("Pause", func(t *testing.T) {
		t.Parallel()
		pauses(t, program)
	})
}

// pauses starts the program and wakes it where it stopped itself.
func pauses(t *testing.T, program string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program)
	cmd.Env = append(os.Environ(), "MONITOR_FAILPOINTS=hit.place=pause@2")
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	var status syscall.WaitStatus
	_, err = syscall.Wait4(cmd.Process.Pid, &status, syscall.WUNTRACED, nil)
	require.NoError(t, err)
	require.True(t, status.Stopped())
	require.NoError(t, cmd.Process.Signal(syscall.SIGCONT))
	passed := 0
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if strings.HasPrefix(lines.Text(), "passed") {
			passed++
		}
	}
	require.Equal(t, 10, passed)
	require.NoError(t, cmd.Wait())
}

func TestWhatCannotBeReadStopsTheStart(t *testing.T) {
	t.Parallel()
	program := build(t, "./testdata/hit", "-tags", "faults")
	for _, c := range []struct{ name, points, seed, says string }{
		{"NoAction", "hit.place", "", `"hit.place" is not name=action`},
		{"NoName", "=kill", "", `"=kill" is not name=action`},
		{"UnknownAction", "a=explode", "", "the action must be kill, pause, delay or error"},
		{"HitBelowOne", "a=kill@0", "", "the hit after @ must be a whole number from 1"},
		{"HitIsNoNumber", "a=pause@x", "", "the hit after @ must be a whole number from 1"},
		{"KillWithArgument", "a=kill:1", "", "kill takes no argument"},
		{"DelayWithoutTime", "a=delay", "", "delay needs a time above 0"},
		{"ShareAboveOne", "a=error:2", "", "the share of errors must be from 0 to 1"},
		{"ErrorWithHit", "a=error@2", "", "error takes no hit after @"},
		{"Twice", "a=kill;a=pause", "", "a is armed twice"},
		{"Seed", "", "x", "MONITOR_FAILPOINTS_SEED"},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			r := run(t, program, c.points, c.seed)
			require.Equal(t, 2, r.code)
			require.Empty(t, r.out, "it did not begin")
			require.Contains(t, r.said, c.says)
		})
	}
}

var place = regexp.MustCompile(`failpoint\.(?:Here|Error|Written)\((?:ctx, )?"([a-z.]+)"\)`)

// places are the names of all places in the program's own code.
func places(t *testing.T) []string {
	t.Helper()
	var names []string
	seen := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d os.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if d.Name() == "testdata" {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		for _, found := range place.FindAllSubmatch(text, -1) {
			if name := string(found[1]); !seen[name] {
				seen[name] = true
				names = append(names, name)
			}
		}
		return nil
	})
	require.NoError(t, err)
	return names
}

// TestReleasedProgramHasNone builds the real program and looks for what could be
// armed in it.
func TestReleasedProgramHasNone(t *testing.T) {
	t.Parallel()
	names := places(t)
	require.Contains(t, names, "notifier.claimed")
	require.Contains(t, names, "notifier.written")
	require.Contains(t, names, "store.serialization")

	released, err := os.ReadFile(build(t, "../.."))
	require.NoError(t, err)
	for _, name := range append(names, "MONITOR_FAILPOINTS") {
		require.False(t, bytes.Contains(released, []byte(name)), "the program holds %q", name)
	}
	// The search finds what is there.
	armed, err := os.ReadFile(build(t, "./testdata/hit", "-tags", "faults"))
	require.NoError(t, err)
	for _, name := range []string{"MONITOR_FAILPOINTS", "hit.place", "hit.error", "hit.written"} {
		require.True(t, bytes.Contains(armed, []byte(name)), "%q is not found where it is", name)
	}
	plain, err := os.ReadFile(build(t, "./testdata/hit"))
	require.NoError(t, err)
	for _, name := range []string{"MONITOR_FAILPOINTS", "hit.place", "hit.error", "hit.written"} {
		require.False(t, bytes.Contains(plain, []byte(name)), "%q is left", name)
	}
}

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"time"
)

// tick is the kernel's unit of CPU time in /proc (proc(5)).
const tick = 10 * time.Millisecond

// used is the CPU time of processes so far, user and system, that of ended children
// included.
func used(pids []int) (sum time.Duration, err error) {
	for i, pid := range pids {
		fields, err := stat(pid)
		if errors.Is(err, fs.ErrNotExist) && i > 0 {
			continue // a child that has ended is in its parent's account
		}
		if err != nil {
			return 0, err
		}
		own := []int{11, 12} // utime, stime
		if i == 0 {
			own = append(own, 13, 14) // cutime, cstime
		}
		for _, f := range own {
			n, err := strconv.ParseInt(fields[f], 10, 64)
			if err != nil {
				return 0, err
			}
			sum += time.Duration(n) * tick
		}
	}
	return sum, nil
}

func stat(pid int) ([]string, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return nil, err
	}
	return strings.Fields(string(text[bytes.LastIndexByte(text, ')')+1:])), nil
}

// memory gives what of a process is in memory, now and at most so far, in MB, with
// that which it shares with others.
func memory(pid int) (now, most float64, err error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, 0, err
	}
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		kb, _ := strconv.ParseFloat(strings.TrimSpace(strings.TrimSuffix(strings.TrimSpace(rest), "kB")), 64)
		switch name {
		case "VmRSS":
			now = kb / 1000
		case "VmHWM":
			most = kb / 1000
		}
	}
	return now, most, nil
}

// machine is the CPU time of every process so far, and what all wanted and the
// hypervisor did not give. /proc/stat knows the first only by sampling, which misses
// most of what runs for less than a tick.
type machine struct {
	processes map[int]time.Duration
	steal     time.Duration
}

func readMachine() (m machine, err error) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return m, err
	}
	first, _, _ := strings.Cut(string(text), "\n")
	fields := strings.Fields(first)
	if len(fields) < 9 || fields[0] != "cpu" {
		return m, fmt.Errorf("/proc/stat begins with %q", first)
	}
	steal, err := strconv.ParseInt(fields[8], 10, 64)
	if err != nil {
		return m, err
	}
	m.steal, m.processes = time.Duration(steal)*tick, map[int]time.Duration{}
	folders, err := os.ReadDir("/proc")
	if err != nil {
		return m, err
	}
	for _, f := range folders {
		pid, err := strconv.Atoi(f.Name())
		if err != nil {
			continue // no process
		}
		if fields, err := stat(pid); err == nil { // it may have ended
			m.processes[pid] = cpuOf(fields, 11, 12)
		}
	}
	return m, nil
}

// others is what processes but ours used between two readings, with what the
// hypervisor kept.
func others(before, after machine, ours map[int]bool) time.Duration {
	sum := after.steal - before.steal
	for pid, cpu := range after.processes {
		if !ours[pid] {
			sum += cpu - before.processes[pid]
		}
	}
	return sum
}

// cpuOf adds up fields of a process' stat; what cannot be read counts nothing.
func cpuOf(fields []string, which ...int) (sum time.Duration) {
	for _, i := range which {
		if n, err := strconv.ParseInt(fields[i], 10, 64); err == nil {
			sum += time.Duration(n) * tick
		}
	}
	return sum
}

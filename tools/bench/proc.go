package main

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
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

// machine is the CPU time of all since it was started.
type machine struct {
	busy  time.Duration // by processes
	steal time.Duration // wanted and not given by the hypervisor
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
	for i, into := range map[int]*time.Duration{1: &m.busy, 2: &m.busy, 3: &m.busy, 8: &m.steal} { // user, nice, system, steal
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			return m, err
		}
		*into += time.Duration(n) * tick
	}
	return m, nil
}

// ownCPU is this process' own time.
func ownCPU() (time.Duration, error) {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		return 0, err
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano()), nil
}

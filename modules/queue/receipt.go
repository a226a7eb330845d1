package queue

import (
	"strconv"
	"strings"
	"time"

	"monitor/modules/uptime"
)

// receipt is a lease as its holder knows it:
//
//	partition.region.entry.taken.monitor.slot.timeout
//
// It holds all that a script needs to end or extend the lease, so that neither
// reads the job again.
type receipt struct {
	partition int
	region    string
	entry     string
	taken     string
	job       uptime.Job // MonitorID, ScheduledAt and Timeout only
}

// receiptParts besides the region, which alone may have dots.
const receiptParts = 6

func newReceipt(partition int, job *uptime.Job, entry string, taken int64) string {
	b := make([]byte, 0, 80)
	b = strconv.AppendInt(b, int64(partition), 10)
	b = append(append(b, '.'), job.Region...)
	b = append(append(b, '.'), entry...)
	for _, n := range []int64{
		taken, job.MonitorID, job.ScheduledAt.UnixMilli(), int64(leaseMillis(job.Spec.Timeout)),
	} {
		b = strconv.AppendInt(append(b, '.'), n, 10)
	}
	return string(b)
}

// readReceipt reports false for what is no receipt of a queue with so many
// partitions.
func readReceipt(text string, partitions int) (receipt, bool) {
	first, rest, found := strings.Cut(text, ".")
	partition, err := strconv.Atoi(first)
	if !found || err != nil || partition < 0 || partition >= partitions {
		return receipt{}, false
	}
	r := receipt{partition: partition}
	var tail [receiptParts - 1]string
	for i := len(tail) - 1; i >= 0; i-- {
		at := strings.LastIndexByte(rest, '.')
		if at < 0 {
			return receipt{}, false
		}
		rest, tail[i] = rest[:at], rest[at+1:]
	}
	r.region, r.entry, r.taken = rest, tail[0], tail[1]
	var numbers [3]int64
	for i := range numbers {
		if numbers[i], err = strconv.ParseInt(tail[i+2], 10, 64); err != nil {
			return receipt{}, false
		}
	}
	r.job.MonitorID = numbers[0]
	r.job.ScheduledAt = time.UnixMilli(numbers[1]).UTC()
	r.job.Spec.Timeout = time.Duration(numbers[2]) * time.Millisecond
	return r, true
}

// name is the job's field among those held.
func (r *receipt) name() []byte {
	return append(appendName(make([]byte, 0, nameTo-nameFrom+len(r.region)), r.job.MonitorID, r.job.ScheduledAt.UnixMilli()), r.region...)
}

// holding is what is held under the name while the lease is the receipt's.
func (r *receipt) holding() string { return r.entry + "." + r.taken }

// share is the receipts of one region in one partition.
type share struct {
	partition int
	region    string
}

// sortReceipts groups receipts by the keys that their scripts need; what is no
// receipt is left out.
func sortReceipts(list []string, partitions int) map[share][]receipt {
	groups := map[share][]receipt{}
	for _, text := range list {
		if r, ok := readReceipt(text, partitions); ok {
			s := share{r.partition, r.region}
			groups[s] = append(groups[s], r)
		}
	}
	return groups
}

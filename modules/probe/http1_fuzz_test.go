package probe

import (
	"slices"
	"testing"
)

// FuzzHTTP1AgainstNetHTTP looks for an answer that hop and net/http judge
// differently. how chooses the settings, cut where the answer is cut in two.
func FuzzHTTP1AgainstNetHTTP(f *testing.F) {
	for i, answer := range nastyAnswers() {
		if len(answer) < 600 {
			f.Add([]byte(answer), byte(i), uint16(i))
		}
	}
	for i, c := range madeTrials(1, 300) {
		if len(c.answer) < 600 {
			f.Add(c.answer, byte(i), uint16(i))
		}
	}
	w := newTwins(f)
	f.Fuzz(func(t *testing.T, answer []byte, how byte, cut uint16) {
		c := trial{script: script{answer: answer}, detail: how&1 > 0, settings: map[string]any{}}
		if int(cut) < len(answer) {
			c.cuts = []int{int(cut)}
		}
		if how&2 > 0 {
			c.settings["keyword"] = "needle"
		} else if how&4 > 0 {
			c.settings["method"] = "HEAD"
		}
		if how&8 > 0 {
			c.settings["expected_status"] = []string{"100-999"}
		}
		if how&16 > 0 {
			c.settings["follow_redirects"] = false
		}
		if how&32 > 0 {
			c.last = resets
		}
		if how&64 > 0 {
			c.settings["headers"] = map[string]string{"Accept-Encoding": "gzip"}
		}
		if how&128 > 0 {
			c.answer = slices.Concat([]byte("HTTP/1.1 200 OK\r\n"), answer)
		}
		if difference := w.compare(t.Context(), c); difference != "" {
			t.Fatal(difference)
		}
	})
}

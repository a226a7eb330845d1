package store_test

import (
	"os"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"
)

// Sizes of the benchmark; MONITOR_BENCH_MONITORS and _DAYS change them.
func benchSize(name string, usual int) int {
	if n, err := strconv.Atoi(os.Getenv("MONITOR_BENCH_" + name)); err == nil {
		return n
	}
	return usual
}

// BenchmarkPages reads what pages do. Run it with -benchtime=20x or so.
func BenchmarkPages(b *testing.B) {
	for _, dialect := range []string{"SQLite", "Postgres"} {
		b.Run(dialect, func(b *testing.B) {
			m := newManyMonitors(b, dialect, benchSize("MONITORS", 10_000), benchSize("DAYS", 30), benchSize("DAYS", 30))
			for _, page := range m.pages() {
				b.Run(page.name, func(b *testing.B) {
					for b.Loop() {
						require.NoError(b, page.read(b.Context()))
					}
				})
			}
		})
	}
}

package telemetry

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
)

// Config is how the program logs.
type Config struct {
	Level  string // debug, info, warn or error
	Format string // text or json; empty is text on a terminal and json elsewhere
}

// DefaultConfig is the one that needs no settings.
func DefaultConfig() Config { return Config{Level: "info"} }

// Validate gives all that is wrong, joined, each with the name of its key.
func (c Config) Validate() error {
	_, levelErr := c.level()
	return errors.Join(levelErr, c.checkFormat())
}

// NewLogger writes to w, one record a line, times in UTC.
func NewLogger(w io.Writer, c Config) (*slog.Logger, error) {
	level, levelErr := c.level()
	if err := errors.Join(levelErr, c.checkFormat()); err != nil {
		return nil, err
	}
	options := &slog.HandlerOptions{Level: level, ReplaceAttr: inUTC}
	if c.Format == "text" || (c.Format == "" && isTerminal(w)) {
		return slog.New(slog.NewTextHandler(w, options)), nil
	}
	return slog.New(slog.NewJSONHandler(w, options)), nil
}

func (c Config) level() (slog.Level, error) {
	switch c.Level {
	case "debug":
		return slog.LevelDebug, nil
	case "info":
		return slog.LevelInfo, nil
	case "warn":
		return slog.LevelWarn, nil
	case "error":
		return slog.LevelError, nil
	default:
		return 0, fmt.Errorf("log.level is %q: use debug, info, warn or error", c.Level)
	}
}

func (c Config) checkFormat() error {
	switch c.Format {
	case "", "text", "json":
		return nil
	default:
		return fmt.Errorf("log.format is %q: use text or json", c.Format)
	}
}

func inUTC(groups []string, a slog.Attr) slog.Attr {
	if len(groups) == 0 && a.Key == slog.TimeKey && a.Value.Kind() == slog.KindTime {
		a.Value = slog.TimeValue(a.Value.Time().UTC())
	}
	return a
}

// isTerminal takes any character device for a terminal: what a wrong guess costs
// is the format of lines that go to one like /dev/null.
func isTerminal(w io.Writer) bool {
	file, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

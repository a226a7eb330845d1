package web

import (
	"html/template"
	"strings"
	"time"

	"monitor/modules/lang"
)

// nbsp keeps a number and its unit on one line.
const nbsp = "\u00a0"

// When is a moment as pages show it: relative within a day, else the local
// date. The zero When reads as a dash.
type When struct {
	At   time.Time
	Now  time.Time
	Loc  *time.Location
	Lang *lang.Language
}

// Zero reports whether there is no moment to show.
func (w When) Zero() bool { return w.At.IsZero() }

// ISO is the value of a datetime attribute.
func (w When) ISO() string { return w.At.UTC().Format(time.RFC3339) }

// Text is what people read.
func (w When) Text() string {
	if w.At.IsZero() {
		return "—"
	}
	age := w.Now.Sub(w.At)
	switch {
	case age > -time.Second && age < time.Second: // clocks may differ a little
		return w.Lang.T("now")
	case age > -24*time.Hour && age < 0:
		return w.onOneLine("in %s", w.Lang.Short(-age))
	case age >= 0 && age < 24*time.Hour:
		return w.onOneLine("%s ago", w.Lang.Short(age))
	}
	return w.Lang.DateTime(w.local(), "15:04")
}

// onOneLine says a sentence that is not broken.
func (w When) onOneLine(key, gap string) string {
	return strings.ReplaceAll(w.Lang.T(key, gap), " ", nbsp)
}

// Clock is the time of day, for things of today.
func (w When) Clock() string { return w.local().Format("15:04:05") }

// Day is the date alone.
func (w When) Day() string { return w.Lang.Date(w.local()) }

// since is the time of day of what is of today, else the date.
func (w When) since() string {
	if w.Now.Sub(w.At) < 24*time.Hour {
		return w.local().Format("15:04")
	}
	if w.Now.Sub(w.At) < 300*24*time.Hour {
		return w.Lang.DayMonth(w.local())
	}
	return w.Lang.Date(w.local())
}

// Exact is the local time to the second, with the date unless it is that of
// today: rows of a minute are told apart by it.
func (w When) Exact() string {
	at, now := w.local(), When{At: w.Now, Loc: w.Loc}.local()
	if at.YearDay() == now.YearDay() && at.Year() == now.Year() {
		return at.Format("15:04:05")
	}
	return w.Lang.DateTime(at, "15:04:05")
}

// Full is the local time to the second with its date and zone.
func (w When) Full() string { return w.Lang.DateTime(w.local(), "15:04:05 MST") }

// Title is the full local time and UTC.
func (w When) Title() string {
	return w.Full() + " (" + w.At.UTC().Format("15:04:05 UTC") + ")"
}

// Mark is the moment as an element, for a sentence that it stands in.
func (w When) Mark() template.HTML { return w.element(w.Text()) }

// ExactMark is Mark to the second.
func (w When) ExactMark() template.HTML { return w.element(w.Exact()) }

func (w When) element(text string) template.HTML {
	if w.Zero() {
		return `<span class="muted">—</span>`
	}
	text, title := template.HTMLEscapeString(text), template.HTMLEscapeString(w.Title())
	return template.HTML(`<time datetime="` + w.ISO() + `" title="` + title + `">` + text + `</time>`) //nolint:gosec // escaped above
}

func (w When) local() time.Time {
	if w.Loc == nil {
		return w.At.UTC()
	}
	return w.At.In(w.Loc)
}

package lang

import (
	"math"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func plain(s string) string { return strings.ReplaceAll(s, nbsp, " ") }

func TestPercentIsFloored(t *testing.T) {
	t.Parallel()
	var english *Language
	for ratio, want := range map[float64]string{
		1: "100%", 0: "0%", 0.5: "50.00%", 0.98999: "98.99%", 0.9989999: "99.89%", 0.999: "99.900%",
		0.99951: "99.951%", 0.9999999: "99.999%", 0.99: "99.00%", 0.57: "57.00%", 0.1: "10.00%",
	} {
		require.Equal(t, want, english.Percent(&ratio), "%v", ratio)
		require.Equal(t, want, Of("en").Percent(&ratio), "%v", ratio)
	}
	require.Equal(t, "—", english.Percent(nil))
	almost := 0.9999999
	require.Equal(t, "99,999 %", plain(Of("de").Percent(&almost)))
}

func TestSpan(t *testing.T) {
	t.Parallel()
	var english *Language
	for d, want := range map[time.Duration]string{
		-time.Second: "0 s", 0: "0 s", 42 * time.Second: "42 s", 4 * time.Minute: "4 min", 250 * time.Second: "4 min 10 s",
		125 * time.Minute: "2 h 05 min", 140 * time.Minute: "2 h 20 min", 2 * time.Hour: "2 h",
		76 * time.Hour: "3 d 4 h", 72*time.Hour + time.Minute: "3 d", 61 * time.Second: "1 min 1 s",
	} {
		require.Equal(t, want, plain(english.Span(d)), d)
	}
	require.Equal(t, "< 1 s", plain(english.Lasted(999*time.Millisecond)))
	require.Equal(t, "3 d 4 h", plain(Of("de").Span(76*time.Hour)))
}

func TestLatency(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		0: "—", 300 * time.Microsecond: "< 1 ms", 87400 * time.Microsecond: "87 ms", 1240 * time.Millisecond: "1,24 s",
	} {
		require.Equal(t, want, plain(Of("de").Latency(d)), d)
	}
}

func TestFiguresAndSizes(t *testing.T) {
	t.Parallel()
	english, german := Of("en"), Of("de")
	for n, want := range map[int64]string{0: "0", 7: "7", -12: "-12", 999: "999", 1000: "1,000", -123456: "-123,456", 1234567: "1,234,567", math.MinInt64: "-9,223,372,036,854,775,808"} {
		require.Equal(t, want, english.Figure(n))
		require.Equal(t, strings.ReplaceAll(want, ",", "."), german.Figure(n))
	}
	for n, want := range map[int64]string{0: "0 B", 999: "999 B", 512_000: "512 kB", 1_440_000_000: "1.4 GB", 5_000_000_000_000_000: "5000 TB"} {
		require.Equal(t, want, plain(english.Bytes(n)))
	}
	require.Equal(t, "1,4 GB", plain(german.Bytes(1_440_000_000)))
}

func TestDates(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 9, 14, 2, 5, 0, time.UTC)
	require.Equal(t, "9 Mar 2026, 14:02", Of("en").DateTime(at, "15:04"))
	require.Equal(t, "9. März 2026, 14:02", Of("de").DateTime(at, "15:04"))
	require.Equal(t, "9 Mar", Of("en").DayMonth(at))
	require.Equal(t, "Mon 9 Mar 2026", Of("en").WeekdayDate(at))
	require.Equal(t, "Mo., 9. März 2026", Of("de").WeekdayDate(at))
}

func TestPluralForms(t *testing.T) {
	t.Parallel()
	polish, err := Parse("pl", []byte(`{
		"language": "Polski",
		"%s monitors in %s": {"one": "%s monitor w %s", "few": "%s monitory w %s", "many": "%s monitorów w %s", "other": "%s monitora w %s"},
		"verb|Open": "Otwórz"
	}`))
	require.NoError(t, err)
	require.Equal(t, "Polski", polish.Name())
	for n, want := range map[int64]string{
		0: "0 monitorów", 1: "1 monitor", 2: "2 monitory", 5: "5 monitorów", 12: "12 monitorów", 22: "22 monitory",
		112: "112 monitorów", 10_000_002: "10 000 002 monitory", -2: "-2 monitory",
	} {
		require.Equal(t, want+" w X", plain(polish.N(n, "%s monitor in %s", "%s monitors in %s", "X")), n)
	}
	require.Equal(t, "1 monitor in X", plain((*Language)(nil).N(1, "%s monitor in %s", "%s monitors in %s", "X")))
	require.Equal(t, "1,200 monitors", plain(Of("en").N(1200, "%s monitor", "%s monitors")))
	require.Equal(t, "Otwórz", polish.T("verb|Open"))
	require.Equal(t, "Open", Of("de").T("a meaning that no catalogue has|Open"))
	require.Equal(t, "100 % of it", polish.T("100 % of it"), "what has no gap is not formatted")
	require.Equal(t, "monitors\u00a0", strings.TrimLeft(Of("en").N(3, "%s monitor ", "%s monitors"+nbsp), "3"+nbsp))
}

func TestWhatIsAccepted(t *testing.T) {
	t.Parallel()
	for header, want := range map[string]string{
		"": "en", "de": "de", "de-AT,de;q=0.9,en;q=0.5": "de", "fr-FR, en;q=0.8, de;q=0.3": "en", "fr, de;q=0.3": "de",
		"*": "en", "not a header;;;": "en", "zz": "en", strings.Repeat("de,", 1000): "de",
		strings.Repeat("de,", 169) + "fr;q=0.5": "de", strings.Repeat("x", 600): "en",
	} {
		require.Equal(t, want, Accepted(header).Tag(), header)
	}
	require.Nil(t, Of("fr"))
	for tag, want := range map[string]string{"de": "de", "de-AT": "de", "en-GB": "en", "en": "en"} {
		require.Equal(t, want, For(tag).Tag(), tag)
	}
	for _, tag := range []string{"", "auto", "fr", "pt-BR", "not a tag"} {
		require.Nil(t, For(tag), tag)
	}
	require.Equal(t, "Deutsch", Of("de").Name())
}

func TestDirection(t *testing.T) {
	t.Parallel()
	arabic, err := Parse("ar", []byte(`{}`))
	require.NoError(t, err)
	require.Equal(t, "rtl", arabic.Dir())
	require.Equal(t, "ltr", Of("de").Dir())
	require.Equal(t, "ltr", (*Language)(nil).Dir())
	require.Equal(t, "ar", arabic.Name())
	require.Equal(t, "1,234 4.50", arabic.Figure(1234)+" "+arabic.Decimal(4.5, 2))
}

func TestBadCatalogues(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`{`:                             "catalogue de: unexpected end of JSON input",
		`{"A": 1}`:                      `catalogue de, "A": must be a text or an object of plural forms`,
		`{"A": {"one": "x"}}`:           `catalogue de, "A": the plural form "other" is missing`,
		`{"A": {"single": "x"}}`:        `catalogue de, "A": no plural form "single": it must be one of other, zero, one, two, few, many`,
		`{"A": {"one": 1, "other": 2}}`: `catalogue de, "A": must be a text or an object of plural forms`,
	} {
		_, err := Parse("de", []byte(text))
		require.ErrorContains(t, err, want)
	}
	_, err := Parse("no language", nil)
	require.ErrorContains(t, err, `language "no language"`)
}

func TestSaidInEnglishIsFoundAgain(t *testing.T) {
	t.Parallel()
	german, err := Parse("de", []byte(`{
		"%s is down": "%s ist ausgefallen",
		"Down after %s failed checks in a row: %s": "Ausgefallen nach %s Fehlern in Folge: %s",
		"answered %s, expected %s": "antwortete %s, erwartet war %s",
		"must be from %s to %s": "muss von %s bis %s gehen",
		"must be %s": "muss %s sein",
		"must not hold %q at %d %%": "darf bei %[2]d %% nicht %[1]q enthalten",
		"connection refused": "Verbindung abgelehnt",
		"Down": "Ausgefallen",
		"thing|%s instead of %s": "%[2]s: %[1]s",
		"date|%[1]d %[2]s": "%[1]d. %[2]s"
	}`))
	require.NoError(t, err)
	for english, want := range map[string]string{
		"": "", "nothing like ours": "nothing like ours", "connection refused": "Verbindung abgelehnt",
		"Down is down":               "Down ist ausgefallen",
		"shop: api is down":          "shop: api ist ausgefallen",
		"must be from 1 to 10":       "muss von 1 bis 10 gehen",
		"must be odd":                "muss odd sein",
		`must not hold "a b" at 5 %`: `darf bei 5 % nicht "a b" enthalten`,
		"a instead of b":             "b: a",
		"Down after 3 failed checks in a row: answered 503 Service Unavailable, expected 200-299": "Ausgefallen nach 3 Fehlern in Folge: antwortete 503 Service Unavailable, erwartet war 200-299",
		"two\nlines is down":                   "two\nlines ist ausgefallen",
		strings.Repeat("x", 3000) + " is down": strings.Repeat("x", 3000) + " is down",
	} {
		require.Equal(t, want, german.Said(english))
		require.Equal(t, english, (*Language)(nil).Said(english))
	}
}

package web

import (
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/labstack/echo/v4"
	"github.com/stretchr/testify/require"
	"golang.org/x/net/html"

	"monitor/modules/lang"
)

// pages limits the test of the pseudo-language while pages are worked on.
var pseudoPages = flag.String("pseudo", "", "regular expression of the pages to look at in the pseudo-language")

// speaking makes a Web answer in one language whatever is asked for.
func speaking(w *Web, l *lang.Language) {
	w.echo.Pre(func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			c.Set(languageKey, l)
			return next(c)
		}
	})
}

// TestEveryWordIsInTheCatalogue draws every page in the pseudo-language: what is not in
// its brackets would be English in every language.
func TestEveryWordIsInTheCatalogue(t *testing.T) {
	t.Parallel()
	verbatim := readVerbatim(t)
	pseudo, only := lang.Pseudo(), regexp.MustCompile(*pseudoPages)
	for _, s := range allShots() {
		if !only.MatchString(s.name) {
			continue
		}
		t.Run(s.name, func(t *testing.T) {
			t.Parallel()
			w, f := setup(t)
			speaking(w, pseudo)
			rec := s.take(w, f)
			require.Equal(t, s.status, rec.Code)
			page, err := html.Parse(rec.Body)
			require.NoError(t, err)
			for _, text := range textsOf(page) {
				for _, left := range outside(text) {
					if !verbatim.MatchString(left) {
						t.Errorf("%q is in no catalogue (of %q)", left, text)
					}
				}
			}
		})
	}
}

// readVerbatim gives what is the same in every language: names and answers of the
// samples, units, technical words. A line of the files is a regular expression.
func readVerbatim(t *testing.T) *regexp.Regexp {
	t.Helper()
	files, err := filepath.Glob("testdata/verbatim/*.txt")
	require.NoError(t, err)
	var all []string
	for _, file := range files {
		raw, err := os.ReadFile(file)
		require.NoError(t, err)
		for line := range strings.Lines(string(raw)) {
			if line = strings.TrimSpace(line); line != "" && !strings.HasPrefix(line, "#") {
				all = append(all, line)
			}
		}
	}
	return regexp.MustCompile(`\A(?:` + strings.Join(all, "|") + `)\z`)
}

// spoken are the attributes that people read or hear.
func spoken() []string {
	return []string{"aria-label", "aria-description", "aria-valuetext", "title", "placeholder", "alt", "data-label", "data-keys-help", "data-title", "data-confirm", "data-sort"}
}

// textsOf what a page shows or says, in order.
func textsOf(n *html.Node) (out []string) {
	if n.Type == html.TextNode {
		return []string{n.Data}
	}
	if n.Type == html.ElementNode && (n.Data == "script" || n.Data == "style" || n.Data == "textarea") {
		return nil
	}
	for _, a := range n.Attr {
		if slices.Contains(spoken(), a.Key) {
			out = append(out, a.Val)
		}
	}
	for c := n.FirstChild; c != nil; c = c.NextSibling {
		out = append(out, textsOf(c)...)
	}
	return out
}

var letters = regexp.MustCompile(`\pL{2}`)

// outside gives what of a text stands outside the brackets of the pseudo-language and has
// words in it.
func outside(text string) (out []string) {
	depth, start := 0, 0
	take := func(part string) {
		part = strings.Join(strings.Fields(strings.ReplaceAll(part, "\u00a0", " ")), " ")
		if letters.MatchString(part) {
			out = append(out, part)
		}
	}
	for i, r := range text {
		switch string(r) {
		case lang.PseudoBegin:
			if depth == 0 {
				take(text[start:i])
			}
			depth++
		case lang.PseudoEnd:
			// One that nothing here began ends what began before some markup.
			if depth = max(depth-1, 0); depth == 0 {
				start = i + len(lang.PseudoEnd)
			}
		}
	}
	if depth == 0 {
		take(text[start:])
	}
	return out
}

package web

import (
	"html/template"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"monitor/modules/lang"
)

// folded draws a template in a language, with a text as its data.
func folded(t *testing.T, l *lang.Language, source, data string) string {
	t.Helper()
	set := template.Must(template.New("x").Funcs(sayings(l)).Parse(source))
	require.NoError(t, fold(l, set, ""))
	var b strings.Builder
	require.NoError(t, set.Execute(&b, data))
	return b.String()
}

func TestSentencesAreTextOfTheirTemplates(t *testing.T) {
	t.Parallel()
	german, err := lang.Parse("de", []byte(`{
		"Save": "Sichern & \"fort\"", "%s of %s": "%[2]s: %[1]s", "day %d, 5 %%": "5 %% am %d.", "verb|Open": "Auf",
		"See <a href=\"%[1]s\">%[1]s</a>.": "Siehe <a href=\"%[1]s\">%[1]s</a>!", "said %q": "sagte %q"
	}`))
	require.NoError(t, err)
	for source, want := range map[string]string{
		`{{t "Save"}}`:                                "Sichern &amp; &#34;fort&#34;",
		`<p title="{{t "Save"}}">`:                    `<p title="Sichern &amp; &#34;fort&#34;">`,
		`{{t "%s of %s" . "y"}}`:                      "y: &lt;i&gt;",
		`{{t "day %d, 5 %%" (len .)}}`:                "5 % am 3.",
		`{{with .}}{{t "verb|Open"}}{{end}}`:          "Auf",
		`{{t .}}`:                                     "&lt;i&gt;",
		`{{or "" (t "verb|Open")}}`:                   "Auf",
		`{{th "See <a href=\"%[1]s\">%[1]s</a>." .}}`: `Siehe <a href="%3ci%3e">&lt;i&gt;</a>!`,
	} {
		require.Equal(t, want, folded(t, german, source, "<i>"), source)
	}
	require.Equal(t, `See <a href="#ZgotmplZ">javascript:alert(1)</a>.`, folded(t, nil, `{{th "See <a href=\"%[1]s\">%[1]s</a>." .}}`, "javascript:alert(1)"))
	for _, source := range []string{`{{t "said %q" .}}`, `{{th "<b>%s</b>"}}`, `{{t "Save" .}}`, `{{t "%s of %s" .}}`, `{{if .}}{{th "%s" . .}}{{end}}`} {
		set := template.Must(template.New("x").Funcs(sayings(german)).Parse(source))
		require.ErrorContains(t, fold(german, set, ""), "has other gaps in de than a template can fill", source)
	}
}

// TestEveryLanguageFitsTheTemplates: markup in a translation leaves no page that cannot be
// drawn. Templates are escaped before they are drawn, in all that they may come to.
func TestEveryLanguageFitsTheTemplates(t *testing.T) {
	t.Parallel()
	w, _ := setup(t)
	for _, l := range append(lang.All(), lang.Pseudo()) {
		all, err := w.views.in(l)
		require.NoError(t, err)
		for name, page := range all {
			for _, layout := range []string{"layout", "layout-bare"} {
				require.NotErrorAs(t, page.ExecuteTemplate(io.Discard, layout, nil), new(*template.Error), "%s in %s", name, l.Tag())
			}
		}
	}
}

package channel

import (
	"bytes"
	"fmt"
	html "html/template"
	"io/fs"
	"mime"
	"strings"
	text "text/template"

	gomail "github.com/wneessen/go-mail"

	"monitor/modules/uptime"
)

// mails draws the two parts of a mail.
type mails struct {
	html *html.Template
	text *text.Template
}

// parseMails parses the templates and draws one mail, so that a mistake in them
// stops the start and not an alert.
func parseMails(files fs.FS) (*mails, error) {
	h, err := html.ParseFS(files, "mail/event.html.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse mail templates: %w", err)
	}
	t, err := text.ParseFS(files, "mail/event.txt.tmpl")
	if err != nil {
		return nil, fmt.Errorf("parse mail templates: %w", err)
	}
	m := &mails{html: h, text: t}
	sample := story{Subject: "s", Tone: "down", Notes: []string{"n"}, Facts: []fact{{"l", "v"}}, Link: "https://example.com"}
	if _, _, err := m.draw(sample); err != nil {
		return nil, err
	}
	return m, nil
}

func (m *mails) draw(s story) (plain, rich string, err error) {
	var p, r bytes.Buffer
	if err := m.text.Execute(&p, s); err != nil {
		return "", "", fmt.Errorf("draw mail: %w", err)
	}
	if err := m.html.Execute(&r, s); err != nil {
		return "", "", fmt.Errorf("draw mail: %w", err)
	}
	return p.String(), r.String(), nil
}

// compose writes the mail. Every attempt has the same Message-ID; mails about
// one incident refer to one id of it, so that mail programs show them together.
func (e *email) compose(d delivery, from string, to []string) (*gomail.Msg, error) {
	m := d.message
	tale := teller{zone: e.deps.Zone(d.channel.WorkspaceID), base: e.deps.PublicURL()}.tell(m, d.channel.Name)
	plain, rich, err := e.mails.draw(tale)
	if err != nil {
		return nil, err
	}
	letter, host, err := newLetter(from, to, m.ID, m.AttemptAt, tale.Subject)
	if err != nil {
		return nil, err
	}
	if i := m.Data.Incident; i != nil && m.Type != uptime.EventTest {
		letter.SetGenHeader(gomail.HeaderReferences,
			fmt.Sprintf("<incident-%d-%d@%s>", d.channel.WorkspaceID, i.ID, host))
	}
	letter.SetBodyString(gomail.TypeTextPlain, plain)
	letter.AddAlternativeString(gomail.TypeTextHTML, rich)
	return letter, nil
}

// encodeSubject writes it as encoded words (RFC 2047), one on a line, each within
// the length that a line may have.
func encodeSubject(subject string) string {
	return strings.ReplaceAll(mime.QEncoding.Encode("UTF-8", subject), "?= =?", "?=\r\n =?")
}

// safeID keeps of an event's id what may stand unquoted in a header.
func safeID(id string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= 'A' && r <= 'Z', r >= '0' && r <= '9', r == '_', r == '-':
			return r
		}
		return -1
	}, id)
}

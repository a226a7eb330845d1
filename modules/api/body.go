package api

import (
	"encoding/json"
	"errors"
	"io"
	"mime"
	"net/http"
	"strings"
	"unicode/utf8"

	"monitor/modules/uptime"
)

// maxBody is what a request's body may have in bytes.
const maxBody = 4 << 20

// maxOpenBody is what strangers may send: an address and a password fit.
const maxOpenBody = 16 << 10

// maxDropped is how much of a larger body is taken and dropped.
const maxDropped = 32 << 20

// readBody reads and checks the body as JSON; what is in it is judged by package
// manage. A POST without a body of its own is read, too: its Idempotency-Key
// covers it.
func (c *call) readBody() error {
	if c.route.takes == "" && c.r.Method != http.MethodPost {
		return nil
	}
	raw, err := c.readAll()
	if err != nil {
		return err
	}
	c.body = raw
	if c.route.takes == "" {
		return nil
	}
	if len(strings.TrimSpace(string(raw))) == 0 {
		c.body = nil
		if c.route.bodyOptional() {
			return nil
		}
		return uptime.Fail(uptime.CodeMalformed, "The body is empty; a JSON object is expected.")
	}
	if err := c.checkMediaType(); err != nil {
		return err
	}
	return checkJSON(raw)
}

// readAll reads the body. One that is too large is taken from the client and
// dropped, as far as that is bearable: most clients send all of it before they
// look at the answer, and would see a broken connection in place of it.
func (c *call) readAll() ([]byte, error) {
	most, size := int64(maxBody), "4 MiB"
	if c.route.access.has(anyone) {
		most, size = maxOpenBody, "16 KiB"
	}
	tooLarge := uptime.Fail(uptime.CodeTooLarge, "The body has more than %s.", size)
	var raw []byte
	var err error
	if c.r.ContentLength <= most {
		raw, err = io.ReadAll(io.LimitReader(c.r.Body, most+1))
	} else if c.r.Header.Get("Expect") != "" {
		return nil, tooLarge // it waits to be told
	}
	if err != nil {
		return nil, &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body could not be read to its end.", Err: err}
	}
	if c.r.ContentLength > most || int64(len(raw)) > most {
		_, _ = io.CopyN(io.Discard, c.r.Body, maxDropped) // whatever comes of it, it was too large
		return nil, tooLarge
	}
	return raw, nil
}

func (c *call) checkMediaType() error {
	allowed := "application/json"
	if c.r.Method == http.MethodPatch {
		allowed = "application/json or application/merge-patch+json"
	}
	refused := uptime.Fail(uptime.CodeMediaType, "Send the body as %s, in UTF-8 and not compressed.", allowed)
	given := c.r.Header.Values("Content-Type")
	if len(given) != 1 || c.r.Header.Get("Content-Encoding") != "" {
		return refused
	}
	media, params, err := mime.ParseMediaType(given[0])
	if err != nil {
		return refused
	}
	if charset := params["charset"]; charset != "" && !strings.EqualFold(charset, "utf-8") {
		return refused
	}
	if media == "application/json" || (media == "application/merge-patch+json" && c.r.Method == http.MethodPatch) {
		return nil
	}
	return refused
}

// checkJSON says where a body stops being JSON.
func checkJSON(raw []byte) error {
	if !utf8.Valid(raw) {
		return uptime.Fail(uptime.CodeMalformed, "The body is not valid UTF-8.")
	}
	err := json.Unmarshal(raw, new(json.RawMessage))
	if err == nil {
		return nil
	}
	offset := len(raw)
	if syntax, ok := errors.AsType[*json.SyntaxError](err); ok {
		offset = min(int(syntax.Offset), len(raw))
	}
	before := string(raw[:offset])
	line := strings.Count(before, "\n") + 1
	column := utf8.RuneCountInString(before[strings.LastIndex(before, "\n")+1:])
	return uptime.Fail(uptime.CodeMalformed, "The body is not valid JSON at line %d, column %d: %s.",
		line, column, uptime.CleanLine(err.Error(), 200))
}

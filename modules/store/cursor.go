package store

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"io"

	"monitor/modules/uptime"
)

const (
	minPage = 1
	maxPage = 200
)

// pageLimit keeps a page's size within the contract.
func pageLimit(p uptime.Page) int { return min(max(p.Limit, minPage), maxPage) }

// encodeCursor names the place after a row by the values that the list is
// sorted by. kind names list and order: a cursor of one is no cursor of another.
func encodeCursor(kind string, values ...any) string {
	data, err := json.Marshal(append([]any{kind}, values...))
	if err != nil {
		return "" // only strings and numbers are passed
	}
	return base64.RawURLEncoding.EncodeToString(data)
}

// decodeCursor reads the values of a cursor into targets. What is not a cursor
// of this kind gives an *uptime.Error with CodeMalformed.
func decodeCursor(kind, cursor string, targets ...any) error {
	bad := &uptime.Error{
		Code: uptime.CodeMalformed, Detail: "The cursor is not one of this list.",
		Fields: []uptime.FieldError{{Field: "cursor", Message: "must be a next_cursor of this list with the same sort"}},
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil {
		return bad
	}
	var parts []json.RawMessage
	dec := json.NewDecoder(bytes.NewReader(data))
	if dec.Decode(&parts) != nil || len(parts) != len(targets)+1 {
		return bad
	}
	if _, err := dec.Token(); err != io.EOF {
		return bad
	}
	for i, target := range append([]any{new(string)}, targets...) {
		if bytes.Equal(parts[i], []byte("null")) || json.Unmarshal(parts[i], target) != nil {
			return bad
		}
		if name, ok := target.(*string); i == 0 && (!ok || *name != kind) {
			return bad
		}
	}
	return nil
}

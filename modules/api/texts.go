package api

import (
	"bytes"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"monitor/modules/uptime"
)

// maxErrors is how many faults of a body are told: who made more made one that
// explains them all.
const maxErrors = 100

// readTexts reads a small JSON object that holds strings only; null counts as
// absent. CodeInvalid names every field that cannot be used. thing is what the
// body describes, with its article.
func readTexts(raw json.RawMessage, thing string, into map[string]*string) error {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	if open, err := decoder.Token(); err != nil || open != json.Delim('{') {
		return uptime.Fail(uptime.CodeMalformed, "The body must be a JSON object.")
	}
	var wrong []uptime.FieldError
	seen := map[string]bool{}
	for decoder.More() {
		token, err := decoder.Token()
		name, _ := token.(string)
		var value json.RawMessage
		if err == nil {
			err = decoder.Decode(&value)
		}
		if err != nil {
			return &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body is not valid JSON.", Err: err}
		}
		if message := readText(value, into[name], seen[name]); message != "" && len(wrong) < maxErrors {
			if into[name] == nil {
				message = "is not a field of " + thing + "; allowed are " + strings.Join(slices.Sorted(maps.Keys(into)), ", ")
			}
			wrong = append(wrong, uptime.FieldError{Field: uptime.CleanLine(name, 100), Message: message})
		}
		seen[name] = true
	}
	if len(wrong) > 0 {
		return uptime.Invalid(wrong...)
	}
	return nil
}

// readText says what is wrong with the value, "" is nothing.
func readText(value json.RawMessage, into *string, again bool) string {
	switch {
	case into == nil:
		return "is not a field"
	case again:
		return "is given twice"
	case string(value) == "null":
		return ""
	case json.Unmarshal(value, into) != nil:
		return "must be a string"
	case strings.ContainsRune(*into, 0):
		return "must not contain NUL characters"
	}
	return ""
}

func required(field string) error {
	return uptime.Invalid(uptime.FieldError{Field: field, Message: "is required"})
}

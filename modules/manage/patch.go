package manage

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"monitor/modules/uptime"
)

// mergePatch applies a JSON Merge Patch (RFC 7396) to the JSON of an object and
// gives the body of the outcome. What is wrong with the patch itself, which the
// merge would hide — doubled names, and null for fields that the object does
// not have — is noted in it.
func mergePatch(base, patch json.RawMessage) (merged *body, asked *body, err error) {
	asked, err = parseBody(patch)
	if err != nil {
		return nil, nil, err
	}
	from, err := decodeTree(base)
	if err != nil {
		return nil, nil, fmt.Errorf("read the object to be patched: %w", err)
	}
	change, err := decodeTree(patch)
	if err != nil {
		return nil, nil, &uptime.Error{Code: uptime.CodeMalformed, Detail: "The body is not valid JSON.", Err: err}
	}
	raw, err := json.Marshal(merge(from, change))
	if err != nil {
		return nil, nil, fmt.Errorf("write the patched object: %w", err)
	}
	if merged, err = parseBody(raw); err != nil {
		return nil, nil, err
	}
	merged.errs = append(merged.errs, asked.errs...)
	original, _ := from.(map[string]any)
	for name, value := range asked.fields {
		if _, there := original[name]; string(value) == "null" && !there {
			merged.fields[name] = value
		}
	}
	return merged, asked, nil
}

func decodeTree(raw json.RawMessage) (any, error) {
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	var tree any
	if err := decoder.Decode(&tree); err != nil {
		return nil, err
	}
	return tree, nil
}

// merge is the pseudocode of RFC 7396, section 2.
func merge(target, patch any) any {
	change, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, value := range change {
		if value == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], value)
		}
	}
	return object
}

// etag is the strong validator of a version.
func etag(version int64) string { return `"` + strconv.FormatInt(version, 10) + `"` }

// checkMatch compares an If-Match header with the version; "" asks for nothing.
func checkMatch(ifMatch string, version int64) error {
	if ifMatch = strings.TrimSpace(ifMatch); ifMatch == "" || ifMatch == "*" {
		return nil
	}
	for tag := range strings.SplitSeq(ifMatch, ",") {
		if strings.TrimPrefix(strings.TrimSpace(tag), "W/") == etag(version) {
			return nil
		}
	}
	return uptime.Fail(uptime.CodePrecondition, "It was changed since you read it; read it again and repeat your change.")
}

// mostShown bounds a value in the audit log, of which nothing is ever removed.
const mostShown = 4 << 10

// brief is a value as it is, or the beginning of a long one as a text.
func brief(raw json.RawMessage) json.RawMessage {
	if len(raw) <= mostShown {
		return raw
	}
	cut, err := json.Marshal(fmt.Sprintf("%s… (%d bytes)", uptime.Clean(string(raw), mostShown), len(raw)))
	if err != nil {
		return nil
	}
	return cut
}

// changes gives what differs between two JSON objects, as shown to people:
// {"name":{"from":…,"to":…}}. Whether a member differs is judged by the stored
// objects, in which secrets are sealed; shown are the masked ones.
func changes(before, after, shownBefore, shownAfter map[string]json.RawMessage) json.RawMessage {
	type change struct {
		From json.RawMessage `json:"from"`
		To   json.RawMessage `json:"to"`
	}
	out := map[string]change{}
	for _, name := range slices.Concat(slices.Collect(maps.Keys(before)), slices.Collect(maps.Keys(after))) {
		if !bytes.Equal(before[name], after[name]) {
			out[name] = change{brief(shownBefore[name]), brief(shownAfter[name])}
		}
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return nil
	}
	return raw
}

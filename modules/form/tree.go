package form

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// object is a JSON object with its keys in order, doubles included.
type object []entry

type entry struct {
	key   string
	value any // object, []any, string, json.Number, bool or nil
}

// parse reads one JSON text. Unlike json.Unmarshal into a map it keeps double
// keys, which must be refused: two readers could take different ones.
func parse(raw []byte) (any, error) {
	// Valid also bounds the nesting (10,000 deep), on which read recurses.
	if !json.Valid(raw) {
		return nil, fmt.Errorf("parse settings: %w", json.Unmarshal(raw, new(any)))
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	return read(d)
}

func read(d *json.Decoder) (any, error) {
	token, err := d.Token()
	if err != nil {
		return nil, fmt.Errorf("read token: %w", err)
	}
	switch token {
	case json.Delim('{'):
		return readObject(d)
	case json.Delim('['):
		return readArray(d)
	}
	return token, nil
}

func readObject(d *json.Decoder) (any, error) {
	o := object{}
	for d.More() {
		token, err := d.Token()
		if err != nil {
			return nil, fmt.Errorf("read key: %w", err)
		}
		value, err := read(d)
		if err != nil {
			return nil, err
		}
		key, _ := token.(string)
		o = append(o, entry{key, value})
	}
	_, err := d.Token()
	return o, err
}

func readArray(d *json.Decoder) (any, error) {
	list := []any{}
	for d.More() {
		value, err := read(d)
		if err != nil {
			return nil, err
		}
		list = append(list, value)
	}
	_, err := d.Token()
	return list, err
}

// MarshalJSON gives the object back in its order.
func (o object) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, e := range o {
		if i > 0 {
			b.WriteByte(',')
		}
		key, err := json.Marshal(e.key)
		if err != nil {
			return nil, fmt.Errorf("marshal key: %w", err)
		}
		value, err := json.Marshal(e.value)
		if err != nil {
			return nil, fmt.Errorf("marshal value: %w", err)
		}
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

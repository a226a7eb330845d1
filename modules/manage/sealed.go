package manage

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"monitor/modules/form"
	"monitor/modules/uptime"
)

// SecretsReport is what was found of all that is sealed.
type SecretsReport struct {
	Current string // the key of auth.secret
	Tables  []SecretsOfTable
	Lost    []LostSecret
	// Busy: values were changed all the time, so that it is not known of all of them by
	// which key they are sealed.
	Busy bool
	// Laggards are processes that still seal by an older key.
	Laggards []uptime.KeyHolder
	// Dropped are the keys by which nothing is sealed any more.
	Dropped []string
}

// SecretsOfTable counts the sealed values of one table.
type SecretsOfTable struct {
	Table uptime.SealedTable
	ByKey map[string]int // those that open
	Clear int            // not sealed, though they are secret
	Anew  int            // rows whose values were sealed anew
}

// LostSecret is a value that cannot be opened.
type LostSecret struct {
	Table uptime.SealedTable
	ID    int64
	Name  string // of the monitor or channel; the person's address
	Field string
	Key   string // by which it was sealed
	Err   error  // never tells the value

	row uptime.SealedRow
}

// Left reports whether a value is not sealed by the current key, or may come to be so.
func (r *SecretsReport) Left() bool { return len(r.Lost) > 0 || r.Busy || len(r.Laggards) > 0 }

// keys are those that any value was sealed by, in order.
func (r *SecretsReport) keys() []string {
	all := map[string]bool{}
	for _, t := range r.Tables {
		for id := range t.ByKey {
			all[id] = true
		}
	}
	for _, lost := range r.Lost {
		all[lost.Key] = true
	}
	return slices.Sorted(maps.Keys(all))
}

// opened counts the values that open.
func (r *SecretsReport) opened() int {
	n := 0
	for _, t := range r.Tables {
		for _, values := range t.ByKey {
			n += values
		}
	}
	return n
}

// sealedPage is how many rows are read at once.
const sealedPage = 200

// SurveySecrets looks at all that is sealed, and changes nothing.
func (m *Manage) SurveySecrets(ctx context.Context) (SecretsReport, error) {
	return m.walkSealed(ctx, func(context.Context, uptime.SealedTable, []uptime.Resealed) (int, error) { return 0, nil })
}

// walkSealed looks at all that is sealed, and gives change the rows that are not sealed
// by the current key throughout, with what they should be. change tells how many it
// changed.
func (m *Manage) walkSealed(ctx context.Context, change func(context.Context, uptime.SealedTable, []uptime.Resealed) (int, error)) (SecretsReport, error) {
	r := sealedReader{m: m, report: SecretsReport{Current: m.currentKey()}}
	for _, table := range uptime.SealedTables() {
		r.count = SecretsOfTable{Table: table, ByKey: map[string]int{}}
		after := uptime.SealedRow{}
		for more := true; more; {
			rows, err := m.deps.Sealed.SealedRows(ctx, table, after, sealedPage)
			if err != nil {
				return r.report, err
			}
			var changes []uptime.Resealed
			for _, row := range rows {
				after = row
				value, err := r.anew(table, row)
				if err != nil {
					return r.report, err
				}
				if value != row.Value {
					changes = append(changes, uptime.Resealed{Row: row, Value: value})
				}
			}
			changed, err := change(ctx, table, changes)
			if err != nil {
				return r.report, err
			}
			r.count.Anew += changed
			more = len(rows) == sealedPage
		}
		r.report.Tables = append(r.report.Tables, r.count)
	}
	return r.report, nil
}

// sealedReader reads rows of one table after the other.
type sealedReader struct {
	m      *Manage
	report SecretsReport
	count  SecretsOfTable
}

// anew gives the value of a row as it should be: every secret in it sealed by the
// current key. What cannot be opened stays as it is, and is noted.
func (r *sealedReader) anew(table uptime.SealedTable, row uptime.SealedRow) (string, error) {
	d := r.m.deps
	switch table {
	case uptime.SealedMonitors:
		return r.settings(row, d.ProbeKinds, tableMonitors)
	case uptime.SealedChannels:
		return r.settings(row, d.ChannelKinds, tableChannels)
	case uptime.SealedFactors:
		return r.value(row, row.Value, totpPlace(row.ID, row.RowKey), formerTOTPPlace(row.WorkspaceID, row.RowKey))
	case uptime.SealedAnswers:
		place := AnswerPlace(row.Answer)
		former := uptime.SecretPlace{WorkspaceID: row.WorkspaceID, Table: place.Table, RowKey: row.RowKey, Field: place.Field}
		return r.value(row, row.Value, place, former)
	}
	return row.Value, nil
}

// AnswerPlace is where the answer to a request is sealed: bound to who asked, and what.
func AnswerPlace(k uptime.IdempotencyKey) uptime.SecretPlace {
	return uptime.SecretPlace{
		Table: "idempotency_keys", RowKey: fmt.Sprintf("%d:%d:%s", k.Actor.UserID, k.Actor.TokenID, k.BodyHash), Field: k.Key,
	}
}

func (r *sealedReader) settings(row uptime.SealedRow, catalog uptime.Catalog, table string) (string, error) {
	kind, ok := catalog.Kind(row.Type)
	if !ok {
		r.unreadable(row, fmt.Errorf("this program has no type %s", row.Type))
		return row.Value, nil
	}
	settings, err := storedSettings(kind, json.RawMessage(row.Value))
	if err != nil {
		// The error may repeat a value.
		r.unreadable(row, fmt.Errorf("the settings are none of the type %s", row.Type))
		return row.Value, nil //nolint:nilerr // it is noted, and the other rows are looked at
	}
	place := uptime.SecretPlace{WorkspaceID: row.WorkspaceID, Table: table, RowKey: row.RowKey}
	changed := false
	err = form.Secrets(settings, func(path, value string) (string, error) {
		fresh, err := r.value(row, value, within(place, kind, path))
		changed = changed || fresh != value
		return fresh, err
	})
	if err != nil || !changed {
		return row.Value, err
	}
	return string(form.Encode(settings)), nil
}

// unreadable notes the values of settings that cannot be read.
func (r *sealedReader) unreadable(row uptime.SealedRow, why error) {
	for _, key := range r.m.deps.Keyring.KeysIn(row.Value) {
		r.lose(row, "settings", key, why)
	}
}

// value gives one value, sealed by the current key for the first of the places. It
// opens in any of them.
func (r *sealedReader) value(row uptime.SealedRow, value string, places ...uptime.SecretPlace) (string, error) {
	sealer := r.m.deps.Sealer
	key, sealed := r.m.deps.Keyring.KeyOf(value)
	if !sealed {
		r.count.Clear++
		return sealer.Seal(places[0], value)
	}
	var failed error
	for i, place := range places {
		secret, err := sealer.Open(place, value)
		if err != nil {
			failed = err
			continue
		}
		r.count.ByKey[key]++
		if i == 0 && key == r.report.Current {
			return value, nil
		}
		return sealer.Seal(places[0], secret)
	}
	r.lose(row, places[0].Field, key, failed)
	return value, nil
}

func (r *sealedReader) lose(row uptime.SealedRow, field, key string, why error) {
	r.report.Lost = append(r.report.Lost, LostSecret{
		Table: r.count.Table, ID: row.ID, Name: row.Name, Field: field, Key: key, Err: why, row: row,
	})
}

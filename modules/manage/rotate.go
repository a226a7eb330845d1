package manage

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"monitor/modules/uptime"
)

const (
	// resealedAtOnce is how many rows a transaction seals anew: it keeps no check
	// waiting.
	resealedAtOnce = 20
	// rotatePasses bounds the passes over all that is sealed: the last one must find
	// nothing to do, and values may change meanwhile.
	rotatePasses = 5
)

// RotateSecrets seals everything by the key of auth.secret, which must be held: see
// HoldKeys. It may be broken off and begun again, and values may change while it runs:
// it never puts an old one in the place of a new one. Keys by which nothing is sealed
// afterwards, and by which no process seals, are needed no longer.
func (m *Manage) RotateSecrets(ctx context.Context) (SecretsReport, error) {
	anew := map[uptime.SealedTable]int{}
	var report SecretsReport
	for pass := 1; ; pass++ {
		ring, err := m.deps.Keys.KeyRing(ctx)
		if err != nil {
			return report, err
		}
		wanted := 0
		report, err = m.walkSealed(ctx, func(ctx context.Context, table uptime.SealedTable, rows []uptime.Resealed) (int, error) {
			wanted += len(rows)
			return m.reseal(ctx, table, rows)
		})
		for i, t := range report.Tables {
			anew[t.Table] += t.Anew
			report.Tables[i].Anew = anew[t.Table]
		}
		if err != nil {
			return report, fmt.Errorf("seal everything anew: %w", err)
		}
		if wanted == 0 {
			err := m.dropUnused(ctx, &report, ring)
			return report, err
		}
		if pass == rotatePasses {
			report.Busy = true
			return report, nil
		}
	}
}

func (m *Manage) reseal(ctx context.Context, table uptime.SealedTable, rows []uptime.Resealed) (int, error) {
	changed := 0
	for some := range slices.Chunk(rows, resealedAtOnce) {
		n, err := m.deps.Sealed.Reseal(ctx, table, some)
		if err != nil {
			return changed, err
		}
		changed += n
	}
	return changed, nil
}

// dropUnused forgets the keys by which the last pass found nothing sealed. before is
// the ring as it was then: what somebody began to seal by since is kept.
func (m *Manage) dropUnused(ctx context.Context, report *SecretsReport, before uptime.KeyRing) error {
	used := report.keys()
	return m.deps.Keys.DropKeys(ctx, func(ring uptime.KeyRing) ([]string, error) {
		report.Laggards, report.Dropped = nil, nil
		for _, h := range ring.Holders {
			if h.SealsBy != report.Current {
				report.Laggards = append(report.Laggards, h)
			}
		}
		for _, k := range ring.Keys {
			free := k.ID != report.Current && !slices.Contains(used, k.ID) && slices.Contains(before.Keys, k)
			if free && !slices.ContainsFunc(report.Laggards, func(h uptime.KeyHolder) bool { return h.SealsBy == k.ID }) {
				report.Dropped = append(report.Dropped, k.ID)
			}
		}
		return report.Dropped, nil
	})
}

// ForgetSecrets lets the program run without the keys that the settings do not give:
// what they sealed is lost. Second factors that cannot be opened are turned off; the
// settings of monitors and channels stay as they are, and say so wherever they are
// used. It refuses while a process runs that knows such a key. member names this
// process.
func (m *Manage) ForgetSecrets(ctx context.Context, actor uptime.Actor, member string) (SecretsReport, error) {
	if err := m.deps.Keys.DropKeys(ctx, m.lostKeys); err != nil {
		return SecretsReport{}, err
	}
	report, err := m.SurveySecrets(ctx)
	if err != nil {
		return report, err
	}
	for _, lost := range report.Lost {
		var line *uptime.Audit
		if lost.Table == uptime.SealedFactors {
			line = m.audited(actor, "user.drop_totp", "user", lost.ID)
		}
		if _, err := m.deps.Sealed.DropSealed(ctx, lost.Table, lost.row, line); err != nil {
			return report, err
		}
	}
	// The keys that open something are entered, so that the next start does not take what is lost
	// for a wrong secret.
	known := m.deps.Keyring.Known()
	used := slices.DeleteFunc(report.keys(), func(id string) bool { return !slices.Contains(known, id) })
	if err := m.enter(ctx, member, append(used, report.Current), false); err != nil {
		return report, err
	}
	return report, m.deps.Keys.LeaveKeys(ctx, member)
}

// lostKeys gives the keys of a ring that the settings do not give, unless a process
// that runs knows one of them.
func (m *Manage) lostKeys(ring uptime.KeyRing) ([]string, error) {
	wrong, ok := errors.AsType[*WrongKeyError](m.judgeKeys(ring))
	if !ok {
		return nil, nil
	}
	for _, h := range ring.Holders {
		for _, id := range wrong.Missing {
			if slices.Contains(h.Knows, id) {
				return nil, fmt.Errorf("key %s is not lost: process %s runs with it; take the secret from its settings, or stop it first", id, h.Member)
			}
		}
	}
	return wrong.Missing, nil
}

package app

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"monitor/modules/auth"
	"monitor/modules/manage"
	"monitor/modules/uptime"
)

// seeKeysEvery is how often a process says that it runs, and with which keys.
const seeKeysEvery = uptime.HolderGrace / 3

// loadKeys derives the keys of the settings, or of the secret in data.dir, which is made
// where there is none and nothing is sealed by one that is lost.
func (p *process) loadKeys(ctx context.Context) (err error) {
	p.keys, err = auth.LoadSecret(p.cfg.Data.Dir, p.cfg.Auth.Secret.Reveal(), p.cfg.Auth.PreviousSecrets,
		func(before auth.Keys) error { return p.mayMakeSecret(ctx, before) })
	return err
}

// mayMakeSecret refuses to make a secret beside a database that is sealed by another one.
func (p *process) mayMakeSecret(ctx context.Context, before auth.Keys) error {
	ids, err := p.keysInUse(ctx)
	if err != nil {
		return err
	}
	lost := slices.DeleteFunc(ids, before.Knows)
	if len(lost) > 0 {
		return exitError{exitUsage, fmt.Errorf("the secret in %s is gone, and this database is sealed by it (key %s).\n"+
			"Bring the file back from a backup, or set auth.secret to what was in it.\n"+
			"If it is lost, `monitor secrets reset` tells what is lost with it and lets the program start without",
			auth.SecretFile(p.cfg.Data.Dir), strings.Join(lost, ", "))}
	}
	users, err := p.store.CountUsers(ctx)
	if err != nil {
		return err
	}
	if users > 0 && len(ids) == 0 {
		p.log.WarnContext(ctx, "the secret is gone and a new one is made: nothing was sealed by it, but who was logged in through the API logs in again",
			"file", auth.SecretFile(p.cfg.Data.Dir))
	}
	return nil
}

// keysInUse are the ids of the keys that the database names or, where it is of a version
// that did not, those of all values in it.
func (p *process) keysInUse(ctx context.Context) ([]string, error) {
	ring, err := p.store.KeyRing(ctx)
	if err != nil {
		return nil, err
	}
	var ids []string
	for _, k := range ring.Keys {
		ids = append(ids, k.ID)
	}
	if len(ids) > 0 {
		return ids, nil
	}
	const page = 500
	for _, table := range uptime.SealedTables() {
		after := uptime.SealedRow{}
		for more := true; more; {
			rows, err := p.store.SealedRows(ctx, table, after, page)
			if err != nil {
				return nil, err
			}
			for _, row := range rows {
				after = row
				ids = append(ids, auth.KeysIn(row.Value)...)
			}
			more = len(rows) == page
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// holdKeys enters this process among those that seal; it leaves when it is closed.
// alone: no other can run beside it.
func (p *process) holdKeys(ctx context.Context, alone bool) error {
	if err := p.wrongKey(p.manage.HoldKeys(ctx, p.member, alone)); err != nil {
		return err
	}
	p.onClose("place among the holders of keys", func() error {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), pingTimeout)
		defer cancel()
		if err := p.manage.LeaveKeys(ctx, p.member); err != nil {
			p.log.WarnContext(ctx, "the database still believes for some seconds that this process runs", "error", err)
		}
		return nil
	})
	return nil
}

// wrongKey makes a start with a wrong secret an error of the settings.
func (p *process) wrongKey(err error) error {
	wrong, ok := errors.AsType[*manage.WrongKeyError](err)
	if !ok {
		return err
	}
	text := wrong.Error()
	if kept := auth.KeptKey(p.cfg.Data.Dir); slices.Contains(wrong.Missing, kept) {
		text += fmt.Sprintf("\nThe secret in %s is the one that is missing.", auth.SecretFile(p.cfg.Data.Dir))
	}
	return exitError{exitUsage, errors.New(text)}
}

// watchKeys says that this process runs, and looks whether it still knows every key in
// use.
func (p *process) watchKeys(ctx context.Context, ready func()) error {
	ready()
	tick := time.NewTicker(seeKeysEvery)
	defer tick.Stop()
	told := ""
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-tick.C:
		}
		unknown, err := p.manage.SeeKeys(ctx, p.member)
		if err != nil {
			continue // the database is away, and others say so
		}
		if all := strings.Join(unknown, ", "); all != told {
			told = all
			if all != "" {
				p.log.ErrorContext(ctx, "another process seals by a key that this one does not know: restart this one with that secret in auth.previous_secrets", "keys", all)
			}
		}
	}
}

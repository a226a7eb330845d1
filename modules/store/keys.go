package store

import (
	"context"
	"fmt"

	"gorm.io/gorm"

	"monitor/modules/uptime"
)

// lockKeys is PostgreSQL's advisory lock of changes to which keys are in use.
const lockKeys = 0x6d6f6e03

type sealKeyRow struct {
	ID         string
	CheckValue string
	UsedAt     instant
}

type keyHolderRow struct {
	Member  string
	SealsBy string
	Knows   textList
	SeenAt  instant
}

// KeyRing gives which keys may have sealed what is stored, and who runs with them.
func (s *Store) KeyRing(ctx context.Context) (ring uptime.KeyRing, err error) {
	err = s.readBy(ctx, s.main, func(db *gorm.DB) error {
		ring, err = s.keyRing(db)
		return err
	})
	return ring, err
}

func (s *Store) keyRing(db *gorm.DB) (ring uptime.KeyRing, err error) {
	var keys []sealKeyRow
	if err := db.Raw(`SELECT id, check_value, used_at FROM seal_keys ORDER BY id`).Scan(&keys).Error; err != nil {
		return ring, fmt.Errorf("read keys: %w", err)
	}
	for _, k := range keys {
		ring.Keys = append(ring.Keys, uptime.SealKey{ID: k.ID, Check: k.CheckValue, UsedAt: k.UsedAt.time()})
	}
	var holders []keyHolderRow
	err = db.Raw(`SELECT member, seals_by, knows, seen_at FROM key_holders WHERE seen_at > ? ORDER BY member`,
		at(s.now().Add(-uptime.HolderGrace))).Scan(&holders).Error
	if err != nil {
		return ring, fmt.Errorf("read holders of keys: %w", err)
	}
	for _, h := range holders {
		ring.Holders = append(ring.Holders, uptime.KeyHolder{Member: h.Member, SealsBy: h.SealsBy, Knows: h.Knows, SeenAt: h.SeenAt.time()})
	}
	return ring, nil
}

// HoldKeys enters a process that begins to seal by a key, with the keys among those in
// use, unless judge refuses the ring as it is then. alone says that no other process
// runs: those that are entered have ended.
func (s *Store) HoldKeys(ctx context.Context, h uptime.KeyHolder, keys []uptime.SealKey, alone bool, judge func(uptime.KeyRing) error) error {
	err := s.changeKeys(ctx, func(tx *gorm.DB) error {
		err := tx.Exec(`DELETE FROM key_holders WHERE member <> ? AND (? OR seen_at <= ?)`,
			h.Member, alone, at(s.now().Add(-uptime.HolderGrace))).Error
		if err != nil {
			return err
		}
		ring, err := s.keyRing(tx)
		if err != nil {
			return err
		}
		if err := judge(ring); err != nil {
			return err
		}
		for _, k := range keys {
			err := tx.Exec(`INSERT INTO seal_keys (id, check_value, used_at) VALUES (?, ?, ?)
				ON CONFLICT (id) DO UPDATE SET used_at = excluded.used_at`, k.ID, k.Check, at(s.now())).Error
			if err != nil {
				return err
			}
		}
		return s.seeHolder(tx, h)
	})
	if err != nil {
		return fmt.Errorf("hold keys: %w", err)
	}
	return nil
}

// SeeHolder says that a process still runs, and gives the ids of the keys in use.
func (s *Store) SeeHolder(ctx context.Context, h uptime.KeyHolder) (ids []string, err error) {
	err = s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		if err := s.seeHolder(tx, h); err != nil {
			return err
		}
		ids = nil // a transaction may be tried again
		return tx.Raw(`SELECT id FROM seal_keys ORDER BY id`).Scan(&ids).Error
	})
	if err != nil {
		return nil, fmt.Errorf("see a holder of keys: %w", err)
	}
	return ids, nil
}

func (s *Store) seeHolder(tx *gorm.DB, h uptime.KeyHolder) error {
	return tx.Exec(`INSERT INTO key_holders (member, seals_by, knows, seen_at) VALUES (?, ?, ?, ?)
		ON CONFLICT (member) DO UPDATE SET seals_by = excluded.seals_by, knows = excluded.knows, seen_at = excluded.seen_at`,
		h.Member, h.SealsBy, textList(h.Knows), at(s.now())).Error
}

// LeaveKeys forgets a process that ends.
func (s *Store) LeaveKeys(ctx context.Context, member string) error {
	err := s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		return tx.Exec(`DELETE FROM key_holders WHERE member = ?`, member).Error
	})
	if err != nil {
		return fmt.Errorf("leave the holders of keys: %w", err)
	}
	return nil
}

// DropKeys forgets the keys that choose names of the ring as it is then.
func (s *Store) DropKeys(ctx context.Context, choose func(uptime.KeyRing) ([]string, error)) error {
	err := s.changeKeys(ctx, func(tx *gorm.DB) error {
		ring, err := s.keyRing(tx)
		if err != nil {
			return err
		}
		ids, err := choose(ring)
		if err != nil || len(ids) == 0 {
			return err
		}
		return tx.Exec(`DELETE FROM seal_keys WHERE id IN ?`, ids).Error
	})
	if err != nil {
		return fmt.Errorf("drop keys: %w", err)
	}
	return nil
}

// changeKeys runs changes of keys one after the other.
func (s *Store) changeKeys(ctx context.Context, fn func(tx *gorm.DB) error) error {
	return s.writeBy(ctx, s.main, func(tx *gorm.DB) error {
		if err := s.alone(tx, lockKeys); err != nil {
			return err
		}
		return fn(tx)
	})
}

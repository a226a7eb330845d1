package store

import (
	"context"
	"fmt"

	"github.com/ncruces/go-sqlite3"
	"gorm.io/gorm"
)

const (
	// vacuumPages is what one step gives back: some ten milliseconds of writing.
	vacuumPages = 256
	// Free pages are used again. What a database that shrank has no use for goes
	// back to the file system: where more than a quarter of the file, and 16 MB, is
	// free, down to an eighth.
	vacuumShare = 4
	vacuumFloor = 4096
)

// vacuum shortens SQLite's file, in small steps between which others write. Files
// that were made before the program asked for auto_vacuum=incremental stay as long
// as they are.
func (p *purge) vacuum(ctx context.Context) error {
	if p.dialect != dialectSQLite {
		return nil
	}
	free, all, err := p.pages(ctx)
	if err != nil || free < vacuumFloor || free*vacuumShare < all {
		return err
	}
	for left := free - all/(2*vacuumShare); left > 0; left -= vacuumPages {
		if err := p.vacuumSome(ctx); err != nil {
			return err
		}
		now, _, err := p.pages(ctx)
		if err != nil || now >= free { // the file cannot be shortened
			return err
		}
		free = now
	}
	return nil
}

func (p *purge) vacuumSome(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	if err := p.gate.enter(ctx, false); err != nil {
		return failure(err)
	}
	defer p.gate.leave()
	return failure(p.onWriter(ctx, func(conn *sqlite3.Conn) error {
		return conn.Exec(fmt.Sprintf("PRAGMA incremental_vacuum(%d)", vacuumPages))
	}))
}

// pages counts those that are free, and all.
func (p *purge) pages(ctx context.Context) (free, all int64, err error) {
	err = p.readBy(ctx, p.main, func(db *gorm.DB) error {
		if err := db.Raw("PRAGMA freelist_count").Scan(&free).Error; err != nil {
			return err
		}
		return db.Raw("PRAGMA page_count").Scan(&all).Error
	})
	return free, all, err
}

package store

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"sync"

	"gorm.io/gorm"
)

// regionNames knows the numbers of regions. A number never changes, so what is
// known stays true.
type regionNames struct {
	mu    sync.RWMutex
	ids   map[string]int64
	names map[int64]string
}

func newRegionNames() *regionNames {
	return &regionNames{ids: map[string]int64{}, names: map[int64]string{}}
}

func (r *regionNames) id(name string) (int64, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	id, ok := r.ids[name]
	return id, ok
}

func (r *regionNames) name(id int64) (string, bool) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	name, ok := r.names[id]
	return name, ok
}

// load reads all of them.
func (r *regionNames) load(db *gorm.DB) error {
	var rows []struct {
		ID   int64
		Name string
	}
	if err := db.Raw("SELECT id, name FROM regions").Scan(&rows).Error; err != nil {
		return fmt.Errorf("read regions: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, row := range rows {
		r.ids[row.Name], r.names[row.ID] = row.ID, row.Name
	}
	return nil
}

// ensureRegions gives numbers to regions that have none. It takes a transaction
// of its own, which is committed before anything uses the numbers.
func (s *Store) ensureRegions(ctx context.Context, names map[string]struct{}) error {
	missing := slices.DeleteFunc(slices.Sorted(maps.Keys(names)), func(name string) bool {
		_, known := s.regions.id(name)
		return known
	})
	if len(missing) == 0 {
		return nil
	}
	err := s.writeBy(ctx, s.hot, func(tx *gorm.DB) error {
		for _, name := range missing {
			if err := tx.Exec("INSERT INTO regions (name) VALUES (?) ON CONFLICT DO NOTHING", name).Error; err != nil {
				return fmt.Errorf("insert a region: %w", err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return s.readBy(ctx, s.hot, s.regions.load)
}

// regionName of a number read from a row.
func (s *Store) regionName(db *gorm.DB, id int64) (string, error) {
	if name, ok := s.regions.name(id); ok {
		return name, nil
	}
	if err := s.regions.load(db); err != nil {
		return "", err
	}
	name, ok := s.regions.name(id)
	if !ok {
		return "", fmt.Errorf("region %d has no name", id)
	}
	return name, nil
}

// regionID of a name, 0 for one that no result ever had.
func (s *Store) regionID(db *gorm.DB, name string) (int64, error) {
	if id, ok := s.regions.id(name); ok {
		return id, nil
	}
	if err := s.regions.load(db); err != nil {
		return 0, err
	}
	id, _ := s.regions.id(name)
	return id, nil
}

// all numbers known. A list of them lets a query over the key of check_results
// reach the third column by index.
func (r *regionNames) all() []int64 {
	r.mu.RLock()
	defer r.mu.RUnlock()
	if len(r.names) == 0 {
		return []int64{0} // IN () is no SQL
	}
	return slices.Sorted(maps.Keys(r.names))
}

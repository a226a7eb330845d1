package archtest

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
)

const (
	postgresMigrations = "migrations/postgres"
	sqliteMigrations   = "migrations/sqlite"
)

// migrationName is NNNN_name.sql.
var migrationName = regexp.MustCompile(`^([0-9]{4})_[a-z0-9_]+\.sql$`)

// checkMigrations demands the same names in both dialects, and each number once.
func (c *checker) checkMigrations() error {
	postgres, err := c.migrationsIn(postgresMigrations)
	if err != nil {
		return err
	}
	sqlite, err := c.migrationsIn(sqliteMigrations)
	if err != nil {
		return err
	}
	c.demandTwins(postgresMigrations, postgres, sqliteMigrations, sqlite)
	c.demandTwins(sqliteMigrations, sqlite, postgresMigrations, postgres)
	return nil
}

// migrationsIn returns the set of names in a folder; a missing folder has none.
func (c *checker) migrationsIn(folder string) (map[string]bool, error) {
	entries, err := fs.ReadDir(c.root, folder)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("read migrations: %w", err)
	}
	names, numbers := map[string]bool{}, map[string]string{}
	for _, e := range entries {
		match := migrationName.FindStringSubmatch(e.Name())
		if match == nil {
			c.add(path.Join(folder, e.Name()), 0, "a migration is named NNNN_name.sql, in lower case")
			continue
		}
		if other, taken := numbers[match[1]]; taken {
			c.add(path.Join(folder, e.Name()), 0, "has the number of "+other)
		}
		numbers[match[1]] = e.Name()
		names[e.Name()] = true
	}
	return names, nil
}

func (c *checker) demandTwins(folder string, names map[string]bool, other string, twins map[string]bool) {
	for name := range names {
		if !twins[name] {
			c.add(path.Join(folder, name), 0, "has no twin in "+other)
		}
	}
}

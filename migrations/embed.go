// Package migrations holds the database schema as numbered SQL files, one folder
// for each dialect with the same numbers and names in both. A released file is
// never edited: a change is a new file.
package migrations

import "embed"

// SQLite and Postgres hold the folders of the same names.
var (
	//go:embed sqlite/*.sql
	SQLite embed.FS

	//go:embed postgres/*.sql
	Postgres embed.FS
)

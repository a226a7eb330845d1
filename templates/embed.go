// Package templates holds the templates of pages and mails, built into the
// program. Who draws them parses them at start.
package templates

import "embed"

// FS has the pages in layouts/, partials/ and pages/; mail/ is the notifications'.
//
//go:embed layouts partials pages all:mail
var FS embed.FS

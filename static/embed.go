// Package static holds what browsers load: style sheets, scripts and vendored
// libraries with their licences. Package web serves them under names that carry
// a hash of the content.
package static

import "embed"

// FS holds the files by their path in this folder.
//
//go:embed css js vendor
var FS embed.FS

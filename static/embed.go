// Package static holds what browsers load: style sheets, scripts and vendored
// libraries with their licences. Package web minifies what is our own when it starts,
// and serves all of it under names that carry a hash of what is served.
package static

import "embed"

// FS holds the files by their path in this folder.
//
//go:embed css js vendor
var FS embed.FS

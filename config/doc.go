// Package config is every setting of the program: one typed tree, its defaults,
// where each value comes from, and what it may be.
//
// The struct tags in config.go are the only list of settings. Flags, environment
// variables, the example file and docs/configuration.md are drawn from it, and a
// test fails when a generated file is out of date (go generate ./config).
//
// Precedence: flag > environment > file > default. All errors are reported at
// once, each with the key, the value and what is allowed.
package config

//go:generate go test . -run TestGeneratedFiles -update

//go:build integration && race

package integration

// The binary is built the way the tests are.
func init() { buildFlags = append(buildFlags, "-race") }

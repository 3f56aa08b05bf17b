// Package config reads the one YAML file that says everything: where to
// listen, which directories there are, and which tenant writes what into which
// of them.
//
// It is strict and complains once, completely: an unknown key, a wrong type or
// an impossible combination is a Fault with file, line, column and key, and
// Load returns all of them in one Report. The work has three steps:
//
//	text --decode--> Config --validate--> faults of combinations
//	                        --Validate of mapping and ldapsink--> theirs
//
// Decoding goes by reflection over `yaml:"..."` tags, so that the packages
// whose Config structs are composed here need not know this one. A step that
// finds a fault about a key silences the later steps about the same key: one
// mistake is one line.
//
// It reads files and environment variables that the configuration names, and
// nothing else: no directory is dialled and no socket opened here.
package config

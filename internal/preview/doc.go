// Package preview shows what requests would do to a directory, without doing it.
//
// A Store reads the real directory, keeps every write in memory as a record of
// what would be sent, and answers from there what it would have written: so a
// gateway in front of it behaves as it would, also where a request of several
// operations builds on its own outcome. WriteLDIF writes the records.
package preview

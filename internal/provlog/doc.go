// Package provlog is the provisioning log: one JSON line for each request of an
// identity provider, in files of bounded size, with an index by which a few lines
// of a million are found without reading the rest.
//
//	provisioning.jsonl                        what is being written
//	provisioning.jsonl.idx                    its index, a little behind
//	provisioning-20260102T030405.000000006Z.jsonl   a segment that is full or old, and .jsonl.idx
//	provisioning.jsonl.lock, .idx.lock        held by who closes a segment, and by who writes an index
//	provisioning.jsonl.key                    with which names are hashed, see Writer
//
// The lines are the truth. An index follows from its segment, is made from it by
// whoever writes the log, and is made again where it is missing, damaged or of
// another file; a reader does without it, only slower. Any number of processes may
// write to one log of a local disk: a line is one write at the end of the file.
//
// The package does not know SCIM or LDAP, nor which values may be in a line: who
// makes a Record decides that.
package provlog

// Package scim is the SCIM 2.0 protocol without a server: resources and the
// schemas that give them their shape (RFC 7643), filters, paths, patches,
// projections, list answers and errors (RFC 7644).
//
// Everything here is a pure function of its arguments. The package knows no
// HTTP, no context, no clock and no directory, and nothing in it panics on what
// a client sent. What can go wrong with a request comes back as an [*Error]
// whose detail an administrator can act on; values that a client sent are not
// repeated in it, because one of them may be a password.
//
// A body becomes a [Resource] by [Decode], a PATCH body becomes a [Patch] by
// [DecodePatch] and is carried out by [Apply]. The two share one normalisation
// (value.go), so that a value has the same shape in a Resource whichever way
// and in whichever dialect it came. What identity providers really send is
// accepted on purpose where the RFC is stricter; such places say so.
//
//	body ── Decode ──▶ Resource ── Project ──▶ answer
//	          ▲           │ ▲
//	     Definition    Match Apply ◀── Patch ◀── DecodePatch ── body
package scim

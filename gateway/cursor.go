package gateway

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"time"

	"scimgate/internal/scim"
)

// cursorTimeout is how long a cursor is good for. It holds all that going on
// takes, so an old one costs nothing; the bound is for the page that somebody
// comes back to long after.
const cursorTimeout = 24 * time.Hour

// cursor is where a walk through a list goes on (RFC 9865): after a place. It
// needs no memory of the walk, on this gateway or any other; where there is
// one, generation finds it.
type cursor struct {
	issued     time.Time // in whole seconds
	generation uint64
	scope      digest // of the tenant and its resource types
	asked      digest // of the filter and the order
	after      place
}

// digest tells lists apart.
type digest [12]byte

// digestOf is the same for the same parts in the same order.
func digestOf(parts ...string) digest {
	h := sha256.New()
	for _, part := range parts {
		fmt.Fprintf(h, "%d:%s", len(part), part)
	}
	return digest(h.Sum(nil)[:len(digest{})])
}

// sealer makes cursors that nobody can read or change: gateways with the same
// key understand each other's.
type sealer struct{ aead cipher.AEAD }

// newSealer takes a key of its own where it is given none.
func newSealer(key [32]byte) (sealer, error) {
	if key == ([32]byte{}) {
		_, _ = rand.Read(key[:]) // never fails: it ends the program instead
	}
	block, err := aes.NewCipher(key[:])
	if err != nil {
		return sealer{}, fmt.Errorf("the key of cursors: %w", err)
	}
	aead, err := cipher.NewGCMWithRandomNonce(block)
	if err != nil {
		return sealer{}, fmt.Errorf("the key of cursors: %w", err)
	}
	return sealer{aead}, nil
}

// cursorPurpose binds what is sealed to this use of the key.
var cursorPurpose = []byte("scimgate cursor")

// longestCursor bounds what is looked at; a sort key and an id are far shorter.
const longestCursor = 4096

// cursorText is how a cursor is written: RFC 9865 section 2 allows it to have no
// characters but those that a URL needs not escape.
var cursorText = base64.RawURLEncoding.Strict()

func (s sealer) seal(c cursor) string {
	return cursorText.EncodeToString(s.aead.Seal(nil, nil, c.encode(), cursorPurpose))
}

// open reads a cursor. Whatever is not one of this key is 400 invalidCursor.
func (s sealer) open(text string) (cursor, error) {
	if len(text) > longestCursor {
		return cursor{}, strangeCursor()
	}
	sealed, err := cursorText.DecodeString(text)
	if err != nil {
		return cursor{}, strangeCursor()
	}
	plain, err := s.aead.Open(nil, nil, sealed, cursorPurpose)
	if err != nil {
		return cursor{}, strangeCursor()
	}
	c, ok := decodeCursor(plain)
	if !ok {
		return cursor{}, strangeCursor()
	}
	return c, nil
}

func strangeCursor() error {
	return scim.BadRequest(scim.TypeInvalidCursor,
		"cursor is none that this server gave out; send the nextCursor of the page before unchanged, or an empty one for the first page")
}

// cursorForm is the first byte, for a form that may change.
const cursorForm = 1

func (c cursor) encode() []byte {
	b := []byte{cursorForm}
	b = binary.BigEndian.AppendUint64(b, uint64(c.issued.Unix()))
	b = binary.BigEndian.AppendUint64(b, c.generation)
	b = append(b, c.scope[:]...)
	b = append(b, c.asked[:]...)
	b = append(b, c.after.typ)
	b = binary.BigEndian.AppendUint64(b, uint64(c.after.created))
	b = binary.BigEndian.AppendUint16(b, uint16(len(c.after.key))) // keys are bounded
	b = append(b, c.after.key...)
	return append(b, c.after.id...)
}

func decodeCursor(b []byte) (cursor, bool) {
	const head = 1 + 8 + 8 + 2*len(digest{}) + 1 + 8 + 2
	if len(b) < head || b[0] != cursorForm {
		return cursor{}, false
	}
	var c cursor
	b = b[1:]
	c.issued = time.Unix(int64(binary.BigEndian.Uint64(b)), 0).UTC()
	c.generation = binary.BigEndian.Uint64(b[8:])
	b = b[16:]
	b = b[copy(c.scope[:], b):]
	b = b[copy(c.asked[:], b):]
	c.after.typ = b[0]
	c.after.created = int64(binary.BigEndian.Uint64(b[1:]))
	n := int(binary.BigEndian.Uint16(b[9:]))
	if b = b[11:]; n > len(b) {
		return cursor{}, false
	}
	c.after.key, c.after.id = string(b[:n]), string(b[n:])
	return c, true
}

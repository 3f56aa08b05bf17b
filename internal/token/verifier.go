package token

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"os"
	"sync"
	"time"
)

// Verifier tells the live tokens of a tenant from any other text. It is safe
// for concurrent use and looks for a new token file by itself.
type Verifier struct {
	file *File
	// every is how long an answer may rest on what was read before: short
	// enough for a revoked token, long enough not to ask the disk all the time.
	every time.Duration

	mu      sync.Mutex
	checked time.Time   // when the file was last looked at
	seen    os.FileInfo // of the file that known is from; nil for none
	known   []Token
}

// NewVerifier returns a verifier of the tokens in a file, which need not exist
// yet.
func NewVerifier(f *File) *Verifier {
	return &Verifier{file: f, every: 250 * time.Millisecond}
}

// Identity is what a token says of whoever presents it.
type Identity struct {
	ID      string // of the token
	Subject string // the id of the person that it names; "" is a client that acts for all
}

// Verify reports whether text is a live token, and whose. It does not say what
// is wrong with one that is not.
//
// The error is for the log and says that the token file could not be read; the
// answer then rests on what was read last. It comes once for each look at the
// file, not for each call.
func (v *Verifier) Verify(text string, now time.Time) (Identity, bool, error) {
	known, err := v.tokens()
	sum := sha256.Sum256([]byte(text))
	presented := []byte(hex.EncodeToString(sum[:]))
	// All are compared, so that the time says nothing about which came close.
	id, found := Identity{}, false
	for _, t := range known {
		if subtle.ConstantTimeCompare(presented, []byte(t.Hash)) == 1 && t.Live(now) {
			id, found = Identity{t.ID, t.Subject}, true
		}
	}
	return id, found, err
}

// tokens returns the tokens, from the file where it has changed. The slice is
// never written to again.
func (v *Verifier) tokens() ([]Token, error) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if !v.checked.IsZero() && time.Since(v.checked) < v.every {
		return v.known, nil
	}
	v.checked = time.Now()
	if err := v.refresh(); err != nil {
		return v.known, fmt.Errorf("read tokens of %s, the last ones stay in force: %w", v.file.tenant, err)
	}
	return v.known, nil
}

// refresh reads the file if it is another one than the last. Files are
// replaced, never written in place by us; size and time are for editors.
func (v *Verifier) refresh() error {
	now, err := os.Stat(v.file.path())
	if err == nil && v.seen != nil && os.SameFile(now, v.seen) &&
		now.Size() == v.seen.Size() && now.ModTime().Equal(v.seen.ModTime()) {
		return nil
	}
	tokens, info, err := v.file.read()
	if err != nil {
		return err
	}
	if info == nil && v.seen != nil {
		// A file that was removed takes its tokens along; a whole folder that is
		// gone is a volume that went away, and no order to lock everybody out.
		if _, err := os.Stat(v.file.folder); err != nil {
			return err
		}
	}
	v.known, v.seen = tokens, info
	return nil
}

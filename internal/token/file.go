package token

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"time"

	"scimgate/internal/state"
)

// What can be wrong with an order to change the tokens.
var (
	// ErrTooMany: the tenant has as many live tokens as it may have.
	ErrTooMany = errors.New("too many live tokens")
	// ErrNotFound: no token has the id.
	ErrNotFound = errors.New("no such token")
)

// Token is what is kept of a bearer token.
type Token struct {
	ID      string    `json:"id"`
	Hash    string    `json:"sha256"` // of the whole text, hexadecimal
	Label   string    `json:"label,omitempty"`
	Subject string    `json:"subject,omitempty"` // the id of whom it names; "" is a client that acts for all
	Created time.Time `json:"created"`
	Expires time.Time `json:"expires"`
}

// Live reports whether the token is still good.
func (t Token) Live(now time.Time) bool { return now.Before(t.Expires) }

// File is the token file of one tenant. It has no state of its own and is safe
// for concurrent use.
type File struct {
	document *state.File[document]
	tenant   string
}

// Open names the token file of a tenant below the state folder. It touches
// nothing: without a file there are no tokens, and the first one makes it.
func Open(stateDir, tenant string) *File {
	return &File{state.Open(stateDir, "tokens", tenant, document.check), tenant}
}

// Create makes a token that lives for lifetime and returns its text, which
// cannot be had again. Expired tokens are forgotten on the way. The error is
// ErrTooMany where the tenant has most live tokens already; nothing is written
// then.
func (f *File) Create(now time.Time, lifetime time.Duration, most int, label string) (string, Token, error) {
	return f.CreateFor("", now, lifetime, most, label)
}

// CreateFor is Create for a token that names a person. Of those each subject may
// have most, beside the tenant's own.
func (f *File) CreateFor(subject string, now time.Time, lifetime time.Duration, most int, label string) (string, Token, error) {
	if lifetime <= 0 {
		return "", Token{}, fmt.Errorf("create token: a lifetime of %s is over before it begins", lifetime)
	}
	id := newID()
	text := "scimgate_" + id + "_" + random(32)
	t := Token{
		ID: id, Hash: hashText(text), Label: label, Subject: subject,
		Created: now.UTC().Truncate(time.Second), Expires: now.Add(lifetime).UTC(),
	}
	err := f.change(func(tokens []Token) ([]Token, error) {
		live := slices.DeleteFunc(tokens, func(t Token) bool { return !t.Live(now) })
		if same := count(live, subject); same >= most {
			return nil, fmt.Errorf("%w: %s has %d and may have %d; revoke one", ErrTooMany, f.tenant, same, most)
		}
		return append(live, t), nil
	})
	if err != nil {
		return "", Token{}, fmt.Errorf("create token: %w", err)
	}
	return text, t, nil
}

// count counts the tokens of a subject.
func count(tokens []Token, subject string) int {
	n := 0
	for _, t := range tokens {
		if t.Subject == subject {
			n++
		}
	}
	return n
}

// Set makes a token of a given text, whatever its form, beside those that are
// there. A text that is known already lives on from now, under its old id.
func (f *File) Set(now time.Time, text string, lifetime time.Duration, label string) (Token, error) {
	if text == "" || lifetime <= 0 {
		return Token{}, errors.New("set token: text and lifetime must not be empty")
	}
	t := Token{
		ID: newID(), Hash: hashText(text), Label: label,
		Created: now.UTC().Truncate(time.Second), Expires: now.Add(lifetime).UTC(),
	}
	err := f.change(func(tokens []Token) ([]Token, error) {
		for i, known := range tokens {
			if known.Hash == t.Hash {
				t.ID = known.ID
				tokens[i] = t
				return tokens, nil
			}
		}
		return append(tokens, t), nil
	})
	if err != nil {
		return Token{}, fmt.Errorf("set token: %w", err)
	}
	return t, nil
}

// List returns all tokens, expired ones included, oldest first.
func (f *File) List() ([]Token, error) {
	d, err := f.document.Read()
	if err != nil {
		return nil, fmt.Errorf("list tokens: %w", err)
	}
	return d.Tokens, nil
}

// Revoke removes a token. The error is ErrNotFound where there is none.
func (f *File) Revoke(id string) error {
	err := f.change(func(tokens []Token) ([]Token, error) {
		rest := slices.DeleteFunc(slices.Clone(tokens), func(t Token) bool { return t.ID == id })
		if len(rest) == len(tokens) {
			return nil, fmt.Errorf("%w: %s has none with the id %q", ErrNotFound, f.tenant, id)
		}
		return rest, nil
	})
	if err != nil {
		return fmt.Errorf("revoke token: %w", err)
	}
	return nil
}

// change replaces the tokens by what edit makes of them.
func (f *File) change(edit func([]Token) ([]Token, error)) error {
	return f.document.Change(func(d document) (document, error) {
		tokens, err := edit(d.Tokens)
		return document{tokens}, err
	})
}

// document is the form of the file.
type document struct {
	Tokens []Token `json:"tokens"`
}

// check finds what no token can be without.
func (d document) check() error {
	for _, t := range d.Tokens {
		if hash, err := hex.DecodeString(t.Hash); err != nil || len(hash) != sha256.Size || t.ID == "" {
			return fmt.Errorf("the token %q has no hash or no id", t.ID)
		}
	}
	return nil
}

func hashText(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}

func newID() string { return random(8) }

// random returns n random bytes in hexadecimal: one word for a double click,
// whatever the terminal.
func random(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails: it ends the program instead
	return hex.EncodeToString(b)
}

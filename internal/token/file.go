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
	// ErrGiven: the file is made elsewhere, and nobody here may change it.
	ErrGiven = errors.New("this token file is made elsewhere")
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

// Ending reports whether a live token is close to its end: nearer than warn, but
// in the last third of its life only, since one that was made for a day is not
// close to its end when it is new.
func (t Token) Ending(now time.Time, warn time.Duration) bool {
	left := t.Expires.Sub(now)
	return left > 0 && left < min(warn, t.Expires.Sub(t.Created)/3)
}

// File is the token file of one tenant. It has no state of its own and is safe
// for concurrent use.
type File struct {
	document *state.File[document]
	tenant   string
	given    bool
}

// Open names the token file of a tenant below the state folder. It touches
// nothing: without a file there are no tokens, and the first one makes it.
func Open(stateDir, tenant string) *File {
	return &File{document: state.Open(stateDir, "tokens", tenant, document.check), tenant: tenant}
}

// At names a token file at a path of its own.
func At(path, tenant string) *File {
	return &File{document: state.At(path, document.check), tenant: tenant}
}

// Given names a token file that is made elsewhere and only read here, a secret
// that is mounted say. Changing it is ErrGiven.
func Given(path, tenant string) *File {
	f := At(path, tenant)
	f.given = true
	return f
}

// Of names the token file of a tenant: the one at given, or the one below the state
// folder where given is "".
func Of(stateDir, tenant, given string) *File {
	if given != "" {
		return Given(given, tenant)
	}
	return Open(stateDir, tenant)
}

// Path is where the file is.
func (f *File) Path() string { return f.document.Path() }

// Order says which token to make.
type Order struct {
	// Subject is the id of whom it is to name; "" is a client that acts for all.
	Subject  string
	Label    string
	Lifetime time.Duration
	// Most is how many live ones there may be then, of one subject.
	Most int
	// Replace ends the other ones of the subject at the same moment.
	Replace bool
}

// Create is Make for a token that names nobody.
func (f *File) Create(now time.Time, lifetime time.Duration, most int, label string) (string, Token, error) {
	text, t, _, err := f.Make(now, Order{Label: label, Lifetime: lifetime, Most: most})
	return text, t, err
}

// Make makes a token and returns its text, which cannot be had again, and the live
// ones that it has replaced. Expired tokens are forgotten on the way. The error is
// ErrTooMany where there are as many live tokens as there may be; nothing is
// written then.
func (f *File) Make(now time.Time, o Order) (string, Token, []Token, error) {
	if o.Lifetime <= 0 {
		return "", Token{}, nil, fmt.Errorf("create token: a lifetime of %s is over before it begins", o.Lifetime)
	}
	id := newID()
	text := "scimgate_" + id + "_" + random(32)
	t := Token{
		ID: id, Hash: hashText(text), Label: o.Label, Subject: o.Subject,
		Created: now.UTC().Truncate(time.Second), Expires: now.Add(o.Lifetime).UTC(),
	}
	var replaced []Token
	err := f.change(func(tokens []Token) ([]Token, error) {
		rest := slices.DeleteFunc(tokens, func(t Token) bool { return !t.Live(now) })
		if o.Replace {
			rest, replaced = apart(rest, o.Subject)
		}
		if same := count(rest, o.Subject); same >= o.Most {
			return nil, fmt.Errorf("%w: %s has %d and may have %d; revoke one, or create with --replace, which ends the old ones at once",
				ErrTooMany, f.tenant, same, o.Most)
		}
		return append(rest, t), nil
	})
	if err != nil {
		return "", Token{}, nil, fmt.Errorf("create token: %w", err)
	}
	return text, t, replaced, nil
}

// apart parts the tokens of others from those of a subject.
func apart(tokens []Token, subject string) (others, own []Token) {
	for _, t := range tokens {
		if t.Subject == subject {
			own = append(own, t)
		} else {
			others = append(others, t)
		}
	}
	return others, own
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
	if f.given {
		return fmt.Errorf("%w: %s", ErrGiven, f.Path())
	}
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

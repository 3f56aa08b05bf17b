package gateway

import (
	"fmt"
	"net/http"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// Names that a template makes are chosen before each write: of the candidates
// the first that nobody has. Within this process who chooses among the same ones
// waits for its turn; of two gateways the slower is refused by the directory, and
// chooses again. A directory can also know holders that are not below the base,
// and some that the gateway may not see.

const (
	// mostCandidates is how many are looked for of one name.
	mostCandidates = 1000
	// mostMisses is how often a directory may refuse a value of which nobody is
	// found to have it.
	mostMisses = 10
)

// naming is what one request has learned of names that are taken.
type naming struct {
	taken  map[string]bool // by attribute and value, folded
	misses int
}

func nameKey(attribute, value string) string {
	return strings.ToLower(attribute) + "\x00" + directory.FoldValue(value)
}

// chosen are the values that were chosen for a write.
type chosen struct {
	old     directory.Entry
	choices []mapping.Choice
	values  []string
	release func()
}

// choose settles the open choices of a want: old, where there is one, keeps what
// it has as long as that fits.
func (q *request) choose(old directory.Entry, want mapping.Want) (mapping.Want, chosen, error) {
	c := chosen{old: old, release: func() {}}
	var locks []string
	for _, choice := range want.Open {
		if value, ok := q.typ.mapping.Keeps(old, want, choice); ok {
			want = want.With(choice, value)
			continue
		}
		c.choices = append(c.choices, choice)
		locks = append(locks, "name\x00"+q.typ.name()+"\x00"+nameKey(choice.Attribute, choice.Text))
	}
	if len(c.choices) == 0 {
		return want, c, nil
	}
	release, _, err := q.typ.tenant.writers.Acquire(q.ctx(), locks...)
	if err != nil {
		return want, c, err
	}
	for _, choice := range c.choices {
		value, err := q.firstFree(old, choice)
		if err != nil {
			release()
			return want, c, err
		}
		want = want.With(choice, value)
		c.values = append(c.values, value)
	}
	c.release = release
	return want, c, nil
}

// firstFree returns the first candidate that nobody else has.
func (q *request) firstFree(old directory.Entry, c mapping.Choice) (string, error) {
	// Most names are free, or taken a few times.
	for n, size := 1, 1; n < mostCandidates; n, size = n+size, min(8*size, 200) {
		var candidates []string
		for i := n; i < n+size; i++ {
			if v := c.Candidate(i); !q.naming.taken[nameKey(c.Attribute, v)] {
				candidates = append(candidates, v)
			}
		}
		if len(candidates) == 0 {
			continue
		}
		holders, err := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.AnyOf(c.Attribute, candidates),
			Scope: directory.Anyone, Attributes: []string{c.Attribute}})
		if err != nil {
			return "", err
		}
		for _, v := range candidates {
			if !q.held(old, c, v, holders, len(candidates) == 1) {
				return v, nil
			}
		}
	}
	return "", q.noName(c)
}

// held reports whether one of the entries has a value of a choice. sure says that
// the entries were found by this value, so that the directory has compared it.
func (q *request) held(old directory.Entry, c mapping.Choice, value string, holders []directory.Entry, sure bool) bool {
	for _, h := range holders {
		if h.ID == old.ID || c.Siblings && !directory.Child(h.DN, q.typ.mapping.Collection().Base) {
			continue
		}
		if sure || clash([]directory.Key{{Attribute: c.Attribute, Value: value}}, h) != "" {
			return true
		}
	}
	return false
}

// lost says what follows from a refusal of a write for which names were chosen:
// if somebody has one of them, or may have, the error is Changed, and the next try
// chooses others.
func (q *request) lost(c chosen, refusal error) error {
	if !directory.Is(refusal, directory.Exists) || len(c.choices) == 0 {
		return refusal
	}
	if q.naming.taken == nil {
		q.naming.taken = map[string]bool{}
	}
	again := &directory.Error{Op: "name", Kind: directory.Changed, Err: refusal}
	found := false
	for i, choice := range c.choices {
		holders, err := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.Eq(choice.Attribute, c.values[i]),
			Scope: directory.Tree, Attributes: []string{choice.Attribute}})
		if err != nil {
			return err
		}
		if q.held(c.old, choice, c.values[i], holders, true) {
			found = true
			q.naming.taken[nameKey(choice.Attribute, c.values[i])] = true
		}
	}
	if found {
		return again
	}
	// Another value may have been refused: then the next try sees who has it. If
	// none is to be seen, it is one of these, for a reason that is not shown.
	if q.naming.misses++; q.naming.misses > mostMisses {
		return q.noName(c.choices[0])
	}
	for i, choice := range c.choices {
		if q.naming.misses > 1 {
			q.naming.taken[nameKey(choice.Attribute, c.values[i])] = true
		}
	}
	return again
}

// noName is the answer where no candidate is free.
func (q *request) noName(c mapping.Choice) error {
	return &scim.Error{Status: http.StatusConflict, Type: scim.TypeUniqueness,
		Detail: fmt.Sprintf("no free value was found for %s: %q is taken, and so are the values with a number behind it that were tried; send other values for what it is made of, or look for who has it in the directory", c.Attribute, c.Text)}
}

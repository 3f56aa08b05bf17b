package gateway

import (
	"fmt"
	"net/http"
	"slices"
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

// chosen are the values that were chosen for a write of an entry; its zero value
// for a new one.
type chosen struct {
	old     directory.Entry
	picks   []pick
	release func()
}

// pick is a settled choice. What an entry keeps that comes back from the dead
// somebody else may have by now, though nobody should.
type pick struct {
	mapping.Choice
	value string
	kept  bool
}

// choose settles the open choices of a want: old, where there is one, keeps what
// it has as long as that fits.
func (q *request) choose(old directory.Entry, want mapping.Want) (mapping.Want, chosen, error) {
	c := chosen{old: old, release: func() {}}
	var open []mapping.Choice
	var locks []string
	for _, choice := range want.Open {
		value, ok := q.typ.mapping.Keeps(old, want, choice)
		if ok && !q.naming.taken[nameKey(choice.Attribute, value)] {
			want = want.With(choice, value)
			if old.Marker.State == directory.Deleted {
				c.picks = append(c.picks, pick{choice, value, true})
			}
			continue
		}
		open = append(open, choice)
		locks = append(locks, "name\x00"+q.typ.name()+"\x00"+nameKey(choice.Attribute, choice.Text))
	}
	if len(open) == 0 {
		return want, c, nil
	}
	release, _, err := q.typ.tenant.writers.Acquire(q.ctx(), locks...)
	if err != nil {
		return want, c, err
	}
	for _, choice := range open {
		value, err := q.firstFree(old, choice)
		if err != nil {
			release()
			return want, c, err
		}
		want = want.With(choice, value)
		c.picks = append(c.picks, pick{choice, value, false})
	}
	c.release = release
	return want, c, nil
}

// others are the keys whose values were not chosen: who has one of these is in the
// way.
func (c chosen) others(keys []directory.Key) []directory.Key {
	return slices.DeleteFunc(slices.Clone(keys), func(k directory.Key) bool {
		return slices.ContainsFunc(c.picks, func(p pick) bool { return p.Attribute == k.Attribute })
	})
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
			Scope: directory.Anyone, Attributes: []string{c.Attribute}, Guard: n == 1})
		if err != nil {
			return "", err
		}
		if n == 1 {
			if err := q.namesake(old, c, holders); err != nil {
				return "", err
			}
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
// chooses others. keys are the unique values of the write.
func (q *request) lost(c chosen, keys []directory.Key, refusal error) error {
	if !directory.Is(refusal, directory.Exists) || len(c.picks) == 0 {
		return refusal
	}
	if q.naming.taken == nil {
		q.naming.taken = map[string]bool{}
	}
	again := &directory.Error{Op: "name", Kind: directory.Changed, Err: refusal}
	found := false
	for _, p := range c.picks {
		holders, err := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.Eq(p.Attribute, p.value),
			Scope: directory.Tree, Attributes: []string{p.Attribute}, Guard: p.value == p.Candidate(1)})
		if err != nil {
			return err
		}
		if err := q.namesake(c.old, p.Choice, holders); err != nil {
			return err
		}
		if q.held(c.old, p.Choice, p.value, holders, true) {
			found = true
			q.naming.taken[nameKey(p.Attribute, p.value)] = true
		}
	}
	if found {
		return again
	}
	if err := q.beyond(c, keys); err != nil {
		return err
	}
	// Another value may have been refused: then the next try sees who has it. If
	// none is to be seen, it is one of these, for a reason that is not shown.
	if q.naming.misses++; q.naming.misses > mostMisses {
		return q.noName(c.picks[0].Choice)
	}
	for _, p := range c.picks {
		if q.naming.misses > 1 && !p.kept {
			q.naming.taken[nameKey(p.Attribute, p.value)] = true
		}
	}
	return again
}

// beyond is the conflict where a value that was not chosen is held by an entry that
// no look for holders finds, because it is not below the base. Another name would
// not help then.
func (q *request) beyond(c chosen, keys []directory.Key) error {
	keys = c.others(keys)
	if len(keys) == 0 {
		return nil
	}
	if near, err := q.typ.holders(q.ctx(), keys); err != nil {
		return err
	} else if slices.ContainsFunc(near, func(h directory.Entry) bool { return h.ID != c.old.ID }) {
		return nil // the next try decides about it
	}
	filters, attributes := make([]directory.Filter, len(keys)), make([]string, len(keys))
	for i, k := range keys {
		filters[i], attributes[i] = directory.Eq(k.Attribute, k.Value), k.Attribute
	}
	all, err := q.typ.store.Search(q.ctx(), directory.Query{Filter: directory.OrOf(filters...), Scope: directory.Tree, Attributes: attributes, Guard: true})
	if err != nil {
		return nil // the tree's top may be out of sight
	}
	for _, h := range all {
		if attribute := clash(keys, h); attribute != "" && h.ID != c.old.ID {
			return q.taken(adoption{}.explained(q.typ.tenant.name, decision{verdict: conflict, hit: h, attribute: attribute}))
		}
	}
	return nil
}

// namesake refuses a choice whose first candidate somebody has who is nobody's to
// provision, where the whole directory has to tell people by it: with a number
// behind it, the name of an administrator would still be one. Holders were
// guarded where they are of the first candidate.
func (q *request) namesake(old directory.Entry, c mapping.Choice, holders []directory.Entry) error {
	for _, h := range holders {
		if h.Protected != "" && h.ID != old.ID && !c.Siblings && clash([]directory.Key{{Attribute: c.Attribute, Value: c.Candidate(1)}}, h) != "" {
			return q.taken(decision{attribute: c.Attribute, reason: protected, why: h.Protected})
		}
	}
	return nil
}

// noName is the answer where no candidate is free.
func (q *request) noName(c mapping.Choice) error {
	return &scim.Error{Status: http.StatusConflict, Type: scim.TypeUniqueness,
		Detail: fmt.Sprintf("no free value was found for %s: %q is taken, and so are the values with a number behind it that were tried; send other values for what it is made of, or look for who has it in the directory", c.Attribute, c.Text)}
}

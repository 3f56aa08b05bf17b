package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"scimgate/internal/directory"
	"scimgate/internal/scim"
	"scimgate/mapping"
)

// Rehearsal says what creates would come to, by the decision that a create goes
// by. It writes nothing.
type Rehearsal struct {
	tenant *tenant
	// claims are what earlier creates of the rehearsal would have: unique values
	// and entries, with the number of the create.
	claims map[string]int
	count  int
}

// NewRehearsal returns one for a tenant.
func NewRehearsal(t Tenant) *Rehearsal {
	return &Rehearsal{tenant: newTenant(t, NewMemory()), claims: map[string]int{}}
}

// Outcome is what one create would come to.
type Outcome struct {
	Type    string `json:"type"`
	Value   string `json:"value,omitempty"` // what the entry would be found by
	Entry   string `json:"entry,omitempty"` // the name of the entry that is there
	ID      string `json:"id,omitempty"`
	Verdict string `json:"verdict"`          // create, revive, adopt, update or refuse
	Reason  string `json:"reason,omitempty"` // of a refusal: a word or two
	Detail  string `json:"detail,omitempty"` // and a sentence
}

// The verdicts of an Outcome.
const (
	WouldCreate = "create"
	WouldRevive = "revive"
	WouldAdopt  = "adopt"
	WouldUpdate = "update"
	WouldRefuse = "refuse"
)

var verdictWords = map[verdict]string{create: WouldCreate, revive: WouldRevive, adopt: WouldAdopt, update: WouldUpdate, conflict: WouldRefuse}

var reasonWords = map[reason]string{
	taken: "taken", protected: "protected", ambiguous: "ambiguous", outside: "outside the filter", partly: "not every value",
	managed: "another tenant's", roomless: "no room", keyless: "no value", torn: "ambiguous",
}

// Resources says what a push of exactly these resources, in their order, would
// come to. Resources of no known schema count as users.
func (r *Rehearsal) Resources(ctx context.Context, bodies []json.RawMessage) ([]Outcome, error) {
	type look struct {
		typ   *resourceType
		want  mapping.Want
		hits  []directory.Entry
		rules adoption
		err   error
	}
	looks := make([]look, len(bodies))
	err := together(ctx, len(bodies), func(ctx context.Context, i int) error {
		l := &looks[i]
		l.typ = r.typeOf(bodies[i])
		if l.want, l.err = l.typ.rehearsed(bodies[i]); l.err != nil {
			return nil
		}
		var err error
		l.hits, l.rules, err = l.typ.existing(ctx, l.want)
		return err
	})
	if err != nil {
		return nil, err
	}
	outcomes := make([]Outcome, len(bodies))
	for i, l := range looks {
		r.count++
		if l.err != nil {
			var told *scim.Error
			outcomes[i] = Outcome{Type: l.typ.name(), Verdict: WouldRefuse, Reason: "invalid", Detail: l.err.Error()}
			if errors.As(l.err, &told) {
				outcomes[i].Detail = told.Detail
			}
			continue
		}
		d := decide(l.want, l.typ.mapping.StableKey(), r.tenant.name, l.hits, l.rules)
		outcomes[i] = r.claimed(l.typ, l.want, d)
	}
	return outcomes, nil
}

// claimed is the outcome of a decision, unless an earlier create of the rehearsal
// would have one of the values already.
func (r *Rehearsal) claimed(t *resourceType, want mapping.Want, d decision) Outcome {
	o := t.outcome(want.Name, d)
	if d.verdict == conflict {
		return o
	}
	names := make([]string, 0, len(want.Keys)+1)
	for _, k := range want.Keys {
		value := k.Value
		if !k.Exact {
			value = directory.FoldValue(value)
		}
		names = append(names, strings.Join([]string{t.name(), k.Attribute, value}, "\x00"))
	}
	if d.hit.ID != "" {
		names = append(names, "id\x00"+d.hit.ID)
	}
	for _, name := range names {
		if first, twice := r.claims[name]; twice {
			o.Verdict, o.Reason = WouldRefuse, reasonWords[taken]
			o.Detail = fmt.Sprintf("resource %d of the file would have a unique value of this one, or its entry, already", first)
			return o
		}
	}
	for _, name := range names {
		r.claims[name] = r.count
	}
	return o
}

// typeOf finds the type of a resource by its schemas.
func (r *Rehearsal) typeOf(body []byte) *resourceType {
	var head struct {
		Schemas []string
		Meta    struct{ ResourceType string }
	}
	_ = json.Unmarshal(body, &head) // what is no such object is refused when it is decoded
	for _, t := range r.tenant.types {
		def := t.mapping.Definition()
		if head.Meta.ResourceType == def.Name || slices.ContainsFunc(head.Schemas, func(s string) bool { return strings.EqualFold(s, def.Core.ID) }) {
			return t
		}
	}
	return r.tenant.types[0]
}

// rehearsed translates a resource. The ids in it are the identity provider's and
// decide nothing, so nobody looks them up.
func (t *resourceType) rehearsed(body []byte) (mapping.Want, error) {
	res, err := scim.Decode(body, t.mapping.Definition())
	if err != nil {
		return mapping.Want{}, err
	}
	if err := t.mapping.Barred(body); err != nil {
		return mapping.Want{}, err
	}
	names := mapping.Names{}
	for _, ref := range t.mapping.References(res) {
		names[ref.ID] = ref.ID
	}
	return t.mapping.Want(res, names)
}

func (t *resourceType) outcome(value string, d decision) Outcome {
	o := Outcome{Type: t.name(), Value: value, Entry: d.hit.DN, ID: d.hit.ID, Verdict: verdictWords[d.verdict]}
	if d.verdict == conflict {
		label := t.mapping.Label(d.attribute)
		o.Reason = reasonWords[d.reason]
		o.Detail = label + ": " + d.reason.text(d.why, label)
	}
	return o
}

// neighbours is how many entries with the same value a survey looks at together.
const neighbours = 50

// Survey says of every entry below the bases that nobody manages whether a push
// of its values would adopt it. Entries that are of another kind altogether are
// left out. Types that adopt nothing are returned.
func (r *Rehearsal) Survey(ctx context.Context, each func(Outcome) error) (idle []string, err error) {
	for _, t := range r.tenant.types {
		if !t.mapping.Adopts() {
			idle = append(idle, t.mapping.Definition().Endpoint)
			continue
		}
		if err := t.survey(ctx, each); err != nil {
			return idle, err
		}
	}
	return idle, nil
}

func (t *resourceType) survey(ctx context.Context, each func(Outcome) error) error {
	by := t.mapping.AdoptAttributes()
	all, err := t.store.Search(ctx, directory.Query{Scope: directory.Anyone, Guard: true, Attributes: append(slices.Clone(by), mapping.ClassAttribute)})
	if err != nil {
		return err
	}
	inside, err := t.adoptable(ctx, directory.Filter{})
	if err != nil {
		return err
	}
	alike := map[string][]directory.Entry{} // by the first value that is looked for
	for _, e := range all {
		for _, v := range e.Attributes[by[0]] {
			key := directory.FoldValue(v)
			if len(alike[key]) < neighbours {
				alike[key] = append(alike[key], e)
			}
		}
	}
	for _, e := range all {
		if !unmanaged(e) {
			continue
		}
		if o, ok := t.surveyed(e, alike[directory.FoldValue(e.Attributes.First(by[0]))], inside); ok {
			if err := each(o); err != nil {
				return err
			}
		}
	}
	return nil
}

// surveyed decides as if somebody pushed the values of an entry. ok is false for
// an entry that nobody would take for one of this type.
func (t *resourceType) surveyed(e directory.Entry, alike []directory.Entry, inside map[string]bool) (o Outcome, ok bool) {
	m := t.mapping
	want := mapping.Want{Attributes: e.Attributes}
	a := adoption{adopts: true, inside: inside, room: m.Room}
	a.by, a.lacks = m.AdoptBy(want)
	var values []string
	for _, k := range a.by {
		values = append(values, k.Value)
	}
	if len(a.by) == 0 {
		if m.Room(e.Attributes[mapping.ClassAttribute]) != "" {
			return o, false
		}
		o = t.outcome("", decision{verdict: conflict, hit: e, attribute: m.AdoptAttributes()[0], reason: keyless, why: a.lacks})
		o.Detail = "the entry has no value of " + a.lacks + ", so no push finds it; give it one to have it adopted"
		return o, true
	}
	if !slices.ContainsFunc(alike, func(other directory.Entry) bool { return other.ID == e.ID }) {
		alike = append(slices.Clone(alike), e)
	}
	want.Keys = a.by
	d := decide(want, m.StableKey(), t.tenant.name, alike, a)
	switch {
	case d.verdict == adopt && d.hit.ID != e.ID: // this one is in nobody's way, and not meant
		d = decision{verdict: conflict, hit: e, attribute: a.by[0].Attribute, reason: outside}
	case d.verdict == create || d.verdict == revive: // the directory holds other values equal
		d = a.explained(t.tenant.name, decision{verdict: conflict, hit: e, attribute: a.by[0].Attribute})
	}
	d.hit = e
	return t.outcome(strings.Join(values, ", "), d), true
}

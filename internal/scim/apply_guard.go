package scim

import "slices"

// maxWork bounds how many elements of lists one patch or body may look at, a
// filter's comparisons counted each. What identity providers send stays far
// below; a body made for it would keep a processor busy for minutes.
const maxWork = 2_000_000

// spend counts the elements that an operation on t has to look at.
func (e editor) spend(t target) error {
	list, _ := e.get(t.path).([]any)
	*e.work += len(list) * (1 + comparisons(t.path.Filter))
	if *e.work > maxWork {
		return BadRequest(TypeTooMany, "%s: too many values to compare; send fewer operations at a time, or shorter filters", t.path.Attr)
	}
	return nil
}

// comparisons is how many comparisons a filter makes.
func comparisons(f Filter) int {
	n := 0
	switch f := f.(type) {
	case nil:
	case And:
		for _, part := range f.Filters {
			n += comparisons(part)
		}
	case Or:
		for _, part := range f.Filters {
			n += comparisons(part)
		}
	case Not:
		n = comparisons(f.Filter)
	default:
		n = 1
	}
	return n
}

// guard does what changes t, and sees to it that an immutable attribute that
// had a value has it still (RFC 7643 section 7), and so a part of a complex one.
// The elements of a list come and go as a whole.
func (e editor) guard(t target, do func() error) error {
	partly := !t.top.MultiValued && slices.ContainsFunc(t.top.SubAttributes, Attribute.fixed)
	if e.creating || !partly && !t.top.fixed() {
		return do()
	}
	old := clone(e.get(t.path))
	if err := do(); err != nil {
		return err
	}
	if t.top.fixed() && old != nil && !equal(old, e.get(t.path)) {
		return e.immutable(t)
	}
	if !partly {
		return nil
	}
	was, _ := old.(map[string]any)
	is, _ := e.get(t.path).(map[string]any)
	for _, sub := range t.top.SubAttributes {
		if v := was[sub.Name]; sub.fixed() && v != nil && !equal(v, is[sub.Name]) {
			t.path.Sub = sub.Name
			return e.immutable(t)
		}
	}
	return nil
}

func (a Attribute) fixed() bool { return a.Mutability == Immutable }

func (e editor) immutable(t target) error {
	return BadRequest(TypeMutability, "%s of %s cannot be changed once it is set; leave the operation out", t.path.brief(), e.def.Name)
}

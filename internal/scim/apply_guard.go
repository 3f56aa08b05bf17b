package scim

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

// guard does what changes t, and sees to it that what is immutable and had a
// value has it still, as it was spelt (RFC 7643 section 7).
func (e editor) guard(t target, do func() error) error {
	held := t.fixed(Immutable)
	if e.creating || len(held) == 0 {
		return do()
	}
	before := Resource{}
	editor{r: before}.put(t.path, clone(e.get(t.path)))
	if err := do(); err != nil {
		return err
	}
	for _, f := range held {
		old := f.in(before)
		if old == nil {
			continue
		}
		if !alike(f.attribute, old, f.in(e.r)) {
			t.path = f.path
			return e.immutable(t)
		}
		f.set(e.r, old)
	}
	return nil
}

func (a Attribute) fixed() bool { return a.Mutability == Immutable }

func (e editor) immutable(t target) error {
	return BadRequest(TypeMutability, "%s of %s cannot be changed once it is set; leave the operation out", t.path.brief(), e.def.Name)
}

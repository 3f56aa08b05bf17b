package ldapsink

import (
	"context"
	"fmt"
	"maps"
	"strconv"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// Numbers are given once and for ever. An entry that counts is moved on before a
// number of it is used, so whatever goes wrong afterwards a number is skipped and
// never given twice: where the server can, by an increment that tells what it led
// to, else by replacing exactly the value that was read. Without such an entry the
// next number is one above the highest in use. Either way it is looked for before
// it is used, since others may count too, and once more when the entry is there:
// of two that took one number at once the one that was made first keeps it.

// oidIncrement is the feature of a Modify that adds to a number (RFC 4525).
const oidIncrement = "1.3.6.1.1.14"

// addNumbered gives a new entry its numbers, and adds it.
func (st *store) addNumbered(ctx context.Context, e directory.NewEntry) (directory.Entry, error) {
	for {
		numbered, err := st.numbered(ctx, e)
		if err != nil {
			return directory.Entry{}, err
		}
		entry, err := st.add(ctx, numbered)
		if err != nil {
			return directory.Entry{}, err
		}
		again, err := st.doubled(ctx, entry, e.Numbers)
		if err != nil || !again {
			return entry, err
		}
	}
}

// numbered returns a new entry with its numbers among its attributes.
func (st *store) numbered(ctx context.Context, e directory.NewEntry) (directory.NewEntry, error) {
	if len(e.Numbers) == 0 {
		return e, nil
	}
	e.Attributes = maps.Clone(e.Attributes)
	for i := range e.Numbers {
		n := &e.Numbers[i]
		if n.Value == 0 {
			next := st.ranged
			if n.Counter != "" {
				next = st.counted
			}
			var err error
			if n.Value, err = next(ctx, *n); err != nil {
				return e, err
			}
		}
		e.Attributes[n.Attribute] = []string{strconv.FormatInt(n.Value, 10)}
	}
	return e, nil
}

// counted takes a number from the entry that counts. Numbers that are in use,
// or below the first, are left out by counting on.
func (st *store) counted(ctx context.Context, n directory.Number) (int64, error) {
	for least := n.Min; ; {
		v, err := st.advance(ctx, n, least)
		switch {
		case err != nil:
			return 0, err
		case v > n.Max:
			return 0, exhausted(n)
		}
		free, err := st.firstUnused(ctx, n, v)
		if err != nil || free == v {
			return free, err
		}
		least = free
	}
}

// ranged takes a number above the highest in use, and above all that this process
// has taken before.
func (st *store) ranged(ctx context.Context, n directory.Number) (int64, error) {
	key := fmt.Sprintf("range\x00%s\x00%d-%d", strings.ToLower(n.Attribute), n.Min, n.Max)
	release, _, err := st.locks.Acquire(ctx, key)
	if err != nil {
		return 0, err
	}
	defer release()
	var highest int64
	if last, known := st.ranges.Load(key); known {
		highest = last.(int64)
	} else if highest, err = st.highest(ctx, n); err != nil {
		return 0, err
	}
	v, err := st.firstUnused(ctx, n, highest+1)
	if err == nil {
		st.ranges.Store(key, v)
	}
	return v, err
}

// highest is the highest number of a range that is in use. It looks at everybody,
// once in the life of a process.
func (st *store) highest(ctx context.Context, n directory.Number) (int64, error) {
	used, err := st.used(ctx, n, directory.Filter{Op: directory.Present, Attribute: n.Attribute})
	highest := n.Min - 1
	for v := range used {
		if v <= n.Max {
			highest = max(highest, v)
		}
	}
	return highest, err
}

// firstUnused returns the first number from one on that nobody has.
func (st *store) firstUnused(ctx context.Context, n directory.Number, from int64) (int64, error) {
	const most = 256
	for size := int64(1); from <= n.Max; size = min(16*size, most) {
		end := min(from+size, n.Max+1)
		var candidates []string
		for v := from; v < end; v++ {
			candidates = append(candidates, strconv.FormatInt(v, 10))
		}
		used, err := st.used(ctx, n, directory.AnyOf(n.Attribute, candidates))
		if err != nil {
			return 0, err
		}
		for ; from < end; from++ {
			if !used[from] {
				return from, nil
			}
		}
	}
	return 0, exhausted(n)
}

// used returns the numbers of the entries that a filter finds, whoever's they are.
func (st *store) used(ctx context.Context, n directory.Number, f directory.Filter) (map[int64]bool, error) {
	found, err := st.findInTree(ctx, f, selection{names: []string{n.Attribute}})
	if err != nil {
		return nil, err
	}
	used := map[int64]bool{}
	for _, e := range found {
		if directory.FoldDN(e.DN) == directory.FoldDN(n.Counter) {
			continue // which has the number that comes next
		}
		for _, text := range e.Attributes[n.Attribute] {
			if v, err := strconv.ParseInt(text, 10, 64); err == nil {
				used[v] = true
			}
		}
	}
	return used, nil
}

// doubled looks who else has a number of a new entry. If somebody had it before,
// the entry is removed again, and gets another number.
func (st *store) doubled(ctx context.Context, mine directory.Entry, numbers []directory.Number) (bool, error) {
	for i := range numbers {
		n := &numbers[i]
		found, err := st.findInTree(ctx, directory.Eq(n.Attribute, strconv.FormatInt(n.Value, 10)), selection{names: st.made(), times: true})
		if err != nil {
			return false, err
		}
		for _, rival := range found {
			if rival.ID == mine.ID || rival.Marker.Source != "" && !st.flavor.older(rival, mine) {
				continue
			}
			if err := st.withdraw(ctx, mine); !directory.Is(err, directory.Exists) {
				return false, err
			}
			n.Value = 0
			return true, nil
		}
	}
	return false, nil
}

// exhausted is the error of a range that has no number left.
func exhausted(n directory.Number) error {
	return &directory.Error{Kind: directory.Exhausted, Attribute: n.Attribute,
		Err: fmt.Errorf("no number from %d to %d is left for %s: raise allocate.max", n.Min, n.Max, n.Attribute)}
}

// advance moves an entry that counts on and returns the number that it has left
// behind, least or a higher one. A lost answer costs the number that it told of.
func (st *store) advance(ctx context.Context, n directory.Number, least int64) (int64, error) {
	release, _, err := st.locks.Acquire(ctx, "counter\x00"+directory.FoldDN(n.Counter))
	if err != nil {
		return 0, err
	}
	defer release()
	// A server that is behind another one counts from where it was.
	key := "counter\x00" + directory.FoldDN(n.Counter)
	if given, known := st.ranges.Load(key); known {
		least = max(least, given.(int64)+1)
	}
	waits := st.pool.cfg.Retry.endless()
	for {
		var last int64
		err := st.write(ctx, func(ctx context.Context, l *link) error {
			var err error
			last, err = st.advanceOn(ctx, l, n, least)
			return err
		}, func(context.Context, *link) (bool, error) { return false, nil })
		if !ldap.IsErrorAnyOf(err, ldap.LDAPResultNoSuchAttribute, ldap.LDAPResultAttributeOrValueExists) {
			if err == nil {
				st.ranges.Store(key, last)
			}
			return last, err
		}
		if wait, _ := waits.Next(); !st.pause(ctx, wait) { // somebody else was quicker
			return 0, fail(directory.Unavailable, err)
		}
	}
}

// advanceOn is advance over one link, without another attempt. A step of more than
// one is never an increment: several at once would go too far together.
func (st *store) advanceOn(ctx context.Context, l *link, n directory.Number, least int64) (int64, error) {
	next, err := st.nextOn(ctx, l, n)
	if err != nil {
		return 0, err
	}
	v := max(next, least)
	if v > n.Max { // so that nothing is counted while nothing can be given
		return 0, exhausted(n)
	}
	request := ldap.NewModifyRequest(n.Counter, nil)
	counts := v == next && l.supports(oidIncrement) && l.supports(oidPostRead)
	if counts {
		request.Controls = []ldap.Control{postRead([]string{n.CounterAttribute})}
		request.Increment(n.CounterAttribute, "1")
	} else {
		request.Delete(n.CounterAttribute, []string{strconv.FormatInt(next, 10)})
		request.Add(n.CounterAttribute, []string{strconv.FormatInt(v+1, 10)})
	}
	result, err := ask(ctx, st.pool, l, false, func(conn *ldap.Conn) (*ldap.ModifyResult, error) {
		return conn.ModifyWithResult(request)
	})
	switch {
	case ldap.IsErrorWithCode(err, ldap.LDAPResultInsufficientAccessRights):
		return 0, failf(directory.Internal, "the counter %q cannot be changed: the gateway's account needs the right to write %s: %w", n.Counter, n.CounterAttribute, err)
	case err != nil:
		return 0, err
	case !counts:
		return v, nil
	}
	after, err := postReadEntry(result.Controls)
	if err != nil || after == nil {
		return 0, failf(directory.Internal, "the directory did not tell the counter's new value: %v", err)
	}
	next, err = counterValue(n, after)
	return next - 1, err
}

// nextOn reads the next number.
func (st *store) nextOn(ctx context.Context, l *link, n directory.Number) (int64, error) {
	counter, err := st.baseOn(ctx, l, n.Counter, []string{n.CounterAttribute})
	if err != nil {
		return 0, err
	}
	if counter == nil {
		return 0, failf(directory.Internal, "the counter %q does not exist, or the gateway's account may not read it: create it, with %d as the value of %s",
			n.Counter, n.Min, n.CounterAttribute)
	}
	return counterValue(n, counter)
}

// counterValue is the number in an entry that counts.
func counterValue(n directory.Number, counter *ldap.Entry) (int64, error) {
	values := counter.GetEqualFoldAttributeValues(n.CounterAttribute)
	if len(values) != 1 {
		return 0, failf(directory.Internal, "the counter %q has %d values of %s and needs one: the next number to be given", n.Counter, len(values), n.CounterAttribute)
	}
	v, err := strconv.ParseInt(values[0], 10, 64)
	if err != nil {
		return 0, failf(directory.Internal, "the counter %q has %q in %s, which is no number", n.Counter, values[0], n.CounterAttribute)
	}
	return v, nil
}

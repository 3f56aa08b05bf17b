package check

import (
	"context"
	"strconv"

	"scimgate/ldapsink"
)

// counters looks whether the entries that rules count with can be counted with.
func (c *checker) counters(ctx context.Context, sink *ldapsink.Sink, typ Type) {
	for _, counter := range typ.Mapping.Counters() {
		key := typ.Key + "." + counter.Key
		values, there, err := sink.Values(ctx, counter.Name, counter.Attribute)
		switch {
		case err != nil:
			c.err(key, "%q cannot be read: %v; let the account read and write it", counter.Name, err)
		case !there:
			c.err(key, "%q does not exist, or the account may not read it; create it with the next number in %s, or give the right", counter.Name, counter.Attribute)
		case len(values) != 1:
			c.err(key, "%q has %d values of %s and needs one; give it the next number", counter.Name, len(values), counter.Attribute)
		default:
			if _, err := strconv.ParseInt(values[0], 10, 64); err != nil {
				c.err(key, "%q has %q in %s, which is no number; give it the next number", counter.Name, values[0], counter.Attribute)
			}
		}
	}
}

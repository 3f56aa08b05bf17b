package ldapsink

import "scimgate/internal/directory"

// simplified is a filter without All and None inside it, and whose negations stand
// before single tests. It means the same, and 389 DS gets the others wrong: inside
// an or, to it, what is none of several things is nothing.
func simplified(f directory.Filter) directory.Filter {
	switch f.Op {
	case directory.And:
		return combined(f, directory.All, directory.None)
	case directory.Or:
		return combined(f, directory.None, directory.All)
	case directory.Not:
		if len(f.Filters) != 1 {
			return f // which is refused
		}
		return negated(f.Filters[0])
	}
	return f
}

// negated is what a filter is not, simplified. What is none of several is not the
// one and not the other; that also holds where a server cannot tell (RFC 4511
// section 4.5.1.7).
func negated(f directory.Filter) directory.Filter {
	opposite := map[directory.FilterOp]directory.FilterOp{
		directory.All: directory.None, directory.None: directory.All, directory.And: directory.Or, directory.Or: directory.And,
	}
	op, ok := opposite[f.Op]
	switch {
	case f.Op == directory.Not && len(f.Filters) == 1:
		return simplified(f.Filters[0])
	case !ok:
		return directory.NotOf(f)
	}
	all := directory.Filter{Op: op}
	for _, part := range f.Filters {
		all.Filters = append(all.Filters, directory.NotOf(part))
	}
	return simplified(all)
}

// combined simplifies an And or Or: neutral parts go, and one that decides is all.
func combined(f directory.Filter, neutral, decides directory.FilterOp) directory.Filter {
	var parts []directory.Filter
	for _, part := range f.Filters {
		switch part = simplified(part); part.Op {
		case neutral:
		case decides:
			return part
		default:
			parts = append(parts, part)
		}
	}
	switch len(parts) {
	case 0:
		return directory.Filter{Op: neutral}
	case 1:
		return parts[0]
	}
	return directory.Filter{Op: f.Op, Filters: parts}
}

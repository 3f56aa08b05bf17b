package ldapsink

import "scimgate/internal/directory"

// simplified is a filter without All and None inside it. They say nothing there
// that a server has to be asked, and 389 DS gets it wrong: to it, what is not one
// of two nothings is nothing.
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
		switch inner := simplified(f.Filters[0]); inner.Op {
		case directory.All:
			return directory.Filter{Op: directory.None}
		case directory.None:
			return directory.Filter{Op: directory.All}
		default:
			return directory.NotOf(inner)
		}
	}
	return f
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

package token

// Refusal is the error of a verifier that can say why a token is not taken: one
// that an issuer has signed is judged by what it says, and not only by its being
// known.
type Refusal struct {
	Kind   RefusalKind
	Detail string // for whoever presents the token: what is wrong and what would be right
	Scope  string // the words that were wanted, where Kind is Insufficient
	Err    error  // what the log alone is told; nil where that is nothing
}

// RefusalKind says what follows from a Refusal.
type RefusalKind int

const (
	// Invalid: the token is none, and never will be.
	Invalid RefusalKind = iota
	// Insufficient: the token is good, and not for this.
	Insufficient
	// Undecided: whether the token is good cannot be told at the moment.
	Undecided
)

func (r *Refusal) Error() string {
	if r.Err != nil {
		return r.Detail + ": " + r.Err.Error()
	}
	return r.Detail
}

func (r *Refusal) Unwrap() error { return r.Err }

package config

import "time"

// ParseDuration reads a duration in the words of the file, for flags: 90d, 12h.
func ParseDuration(text string) (time.Duration, error) { return parseDuration(text) }

// validate records the faults of what bounds the tokens.
func (t Tokens) validate(s *Source, key string) {
	positive(s, key+".max", t.Max)
	positive(s, key+".lifetime", t.Lifetime)
	positive(s, key+".warn", t.Warn)
	// What is there by default may be longer than the life of a tenant's tokens: each
	// is warned of in the last third of its life only.
	if s.Has(key+".warn") && t.Warn > 0 && t.Lifetime > 0 && t.Warn >= t.Lifetime {
		s.fault(key+".warn", "%s is not shorter than the %s that a token lives, so every token would be close to its end when it is made; give less than a third of that",
			t.Warn, t.Lifetime)
	}
	if t.Replace && t.Max > 1 && s.Has(key+".max") {
		s.warn(key+".max", "has no effect beside replace, which leaves one token at a time; leave it out")
	}
}

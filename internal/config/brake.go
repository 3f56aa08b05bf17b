package config

import (
	"time"

	"scimgate/internal/brake"
)

// Brake bounds how many deactivations, deletions and removed members may come
// within a time.
type Brake struct {
	Changes int           `yaml:"changes"`
	Per     time.Duration `yaml:"per"`
}

// Defaults sets what holds where the file says nothing.
func (b *Brake) Defaults() { b.Per = 10 * time.Minute }

// Limit is the declaration in the words of the package that counts.
func (b *Brake) Limit() brake.Limit { return brake.Limit{Changes: b.Changes, Per: b.Per} }

func (b *Brake) validate(s *Source, key string) {
	const longest = 31 * 24 * time.Hour
	if b == nil {
		return
	}
	if !s.Has(key + ".changes") {
		s.fault(key+".changes", "is missing; say how many people may be deactivated or deleted, and members removed, within per: 50 for example")
	} else {
		positive(s, key+".changes", b.Changes)
	}
	switch {
	case b.Per < time.Second:
		s.fault(key+".per", "is less than a second; give a time, such as 10m")
	case b.Per > longest:
		s.fault(key+".per", "is more than %s; give a shorter time, such as 10m", longest)
	}
}

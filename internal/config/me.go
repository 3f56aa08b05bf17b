package config

import (
	"fmt"
	"slices"

	"scimgate/internal/directory"
	"scimgate/mapping"
)

// meMethods are what a person may be allowed to do.
var meMethods = []string{"GET", "PUT", "PATCH", "DELETE"}

func (m *Me) validate(s *Source, key string) {
	if m == nil {
		return
	}
	if len(m.Methods) == 0 {
		s.fault(key+".methods", "is empty; name some of GET, PUT, PATCH and DELETE, or remove the key me")
	}
	for i, method := range m.Methods {
		if !slices.Contains(meMethods, method) {
			s.fault(fmt.Sprintf("%s.methods[%d]", key, i), "%q is not known; use GET, PUT, PATCH or DELETE", method)
		}
	}
}

// hold asks the mapping of users, which has no faults, whether the attribute
// finds one person at most.
func (m *Me) hold(s *Source, key string, users mapping.Config) {
	if m == nil {
		return
	}
	compiled, faults := mapping.Compile(users, "User", "")
	if len(faults) > 0 {
		return
	}
	if problem := compiled.Identifying(m.By); problem != "" {
		s.Fault(key, directory.Fault{Key: "by", Problem: problem})
	}
}

package config

import (
	"cmp"
	"fmt"
	"time"
)

// TenantLimits bound one request of a tenant more narrowly than Server.Limits. A
// zero value is a key that is not there: the server's holds.
type TenantLimits struct {
	BodyBytes      Size          `yaml:"bodyBytes"`
	PageSize       int           `yaml:"pageSize"`
	BulkOperations int           `yaml:"bulkOperations"`
	RequestTimeout time.Duration `yaml:"requestTimeout"`
	FilterEntries  int           `yaml:"filterEntries"`
}

// validate records limits that are none, and those that are above the server's:
// a tenant could not have them.
func (l TenantLimits) validate(s *Source, key string, server Limits) {
	within(s, key, "bodyBytes", l.BodyBytes, server.BodyBytes)
	within(s, key, "pageSize", l.PageSize, server.PageSize)
	within(s, key, "bulkOperations", l.BulkOperations, server.BulkOperations)
	within(s, key, "requestTimeout", l.RequestTimeout, server.RequestTimeout)
	within(s, key, "filterEntries", l.FilterEntries, server.FilterEntries)
}

func within[N interface {
	~int | ~int64
	cmp.Ordered
}](s *Source, key, name string, own, server N) {
	key += "." + name
	switch {
	case !s.Has(key):
	case own <= 0:
		s.fault(key, "%v is not above zero", own)
	case server > 0 && own > server:
		s.fault(key, "%s is above the %s of server.limits.%s, which no tenant exceeds; lower it, or raise that one", fmt.Sprint(own), fmt.Sprint(server), name)
	}
}

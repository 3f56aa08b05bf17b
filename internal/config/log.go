package config

import "time"

// Log is the provisioning log; without a file there is none.
type Log struct {
	Provisioning string        `yaml:"provisioning"`
	MaxSize      Size          `yaml:"maxSize"`
	MaxAge       time.Duration `yaml:"maxAge"`
	// Values and KeepFailedBodies hold for the tenants that say nothing themselves.
	Values           bool `yaml:"values"`
	KeepFailedBodies bool `yaml:"keepFailedBodies"`
}

// TenantLog is what the log holds of one tenant; nil is as Log says.
type TenantLog struct {
	Values           *bool `yaml:"values"`
	KeepFailedBodies *bool `yaml:"keepFailedBodies"`
}

// LogsOf returns whether the log holds values of a tenant, and the bodies of its
// failed requests.
func (c *Config) LogsOf(t Tenant) (values, failedBodies bool) {
	values, failedBodies = c.Log.Values, c.Log.KeepFailedBodies
	if t.Log.Values != nil {
		values = *t.Log.Values
	}
	if t.Log.KeepFailedBodies != nil {
		failedBodies = *t.Log.KeepFailedBodies
	}
	return values, failedBodies
}

// What a log may be asked for: below it there would be a file for every few lines.
const (
	leastLogSize = 10_000
	leastLogAge  = time.Minute
)

// log records the faults of the log.
func (c *Config) log(s *Source) {
	positive(s, "log.maxSize", c.Log.MaxSize)
	positive(s, "log.maxAge", c.Log.MaxAge)
	if n := c.Log.MaxSize; n > 0 && n < leastLogSize {
		s.fault("log.maxSize", "is %d bytes, in which there is room for few lines; write for example 100MB", n)
	}
	if age := c.Log.MaxAge; age > 0 && age < leastLogAge {
		s.fault("log.maxAge", "is %s; give a minute or more, for example 90d", age)
	}
	if c.Log.Provisioning != "" {
		return
	}
	if s.Has("log.provisioning") {
		s.fault("log.provisioning", "is empty; name the file, for example provisioning.jsonl, or leave log away")
		return
	}
	const idle = "has no effect without a log; name its file in log.provisioning"
	asks := map[string]bool{"log.values": c.Log.Values, "log.keepFailedBodies": c.Log.KeepFailedBodies}
	for i, t := range c.Tenants {
		key := tenantKey(i) + ".log"
		asks[key+".values"] = t.Log.Values != nil && *t.Log.Values
		asks[key+".keepFailedBodies"] = t.Log.KeepFailedBodies != nil && *t.Log.KeepFailedBodies
	}
	for key, asked := range asks {
		if asked {
			s.fault(key, idle)
		}
	}
}

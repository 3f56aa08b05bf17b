package metrics

import (
	"runtime"
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// Sources tell how things stand now. One that is nil has nothing to tell.
type Sources struct {
	Brakes      func() []Brake
	Switches    func() map[string]bool // by tenant: it is switched off
	Tokens      func(now time.Time) []Tokens
	Directories func() []Directory
	Reload      func() Reload
}

// Brake is how the brake of a tenant stands.
type Brake struct {
	Tenant               string
	On                   bool
	Used, Limit, Allowed int
}

// Tokens are those of a tenant that are live, but for those that name people.
type Tokens struct {
	Tenant  string
	Expires map[string]time.Time // by their id
}

// Directory is how a directory stands. Server is the one in use, "" for none.
type Directory struct {
	Name, Server  string
	Answers, Open bool // it takes writes
}

// Reload is the outcome of the last reload of the configuration; At is zero before
// the first.
type Reload struct {
	At   time.Time
	Good bool
}

// collector asks the sources at each scrape.
type collector struct {
	Sources
	version string
}

func series(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("scimgate_"+name, help, labels, nil)
}

var (
	build            = series("build_info", "The version that runs.", "version", "go")
	brakeOn          = series("brake_on", "1 while the brake on mass changes of the tenant refuses what takes access away.", "tenant")
	brakeUsed        = series("brake_changes", "Changes that the brake has counted within its time.", "tenant")
	brakeLimit       = series("brake_limit", "Changes that may come within that time.", "tenant")
	brakeAllowed     = series("brake_allowed", "Changes that an administrator has let through beside the limit.", "tenant")
	tenantOff        = series("tenant_off", "1 while the tenant is switched off.", "tenant")
	tokensLive       = series("tokens", "Tokens of the tenant that are good.", "tenant")
	tokenExpires     = series("token_expires_seconds", "How long each of them is good.", "tenant", "token")
	directoryUp      = series("directory_up", "1 while a server of the directory answers.", "directory")
	directoryWrites  = series("directory_writable", "1 while the server in use takes writes.", "directory")
	directoryServer  = series("directory_server_info", "The server of the directory that is in use.", "directory", "server")
	reloadGood       = series("reload_good", "1 if the last reload of the configuration was put in force.")
	reloadAt         = series("reload_timestamp_seconds", "When the configuration was reloaded last.")
	everyDescription = []*prometheus.Desc{build, brakeOn, brakeUsed, brakeLimit, brakeAllowed, tenantOff, tokensLive, tokenExpires,
		directoryUp, directoryWrites, directoryServer, reloadGood, reloadAt}
)

// Describe implements prometheus.Collector.
func (c collector) Describe(all chan<- *prometheus.Desc) {
	for _, d := range everyDescription {
		all <- d
	}
}

// Collect implements prometheus.Collector.
func (c collector) Collect(all chan<- prometheus.Metric) {
	put := func(d *prometheus.Desc, v float64, labels ...string) {
		all <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, v, labels...)
	}
	put(build, 1, c.version, runtime.Version())
	if c.Brakes != nil {
		for _, b := range c.Brakes() {
			put(brakeOn, truth(b.On), b.Tenant)
			put(brakeUsed, float64(b.Used), b.Tenant)
			put(brakeLimit, float64(b.Limit), b.Tenant)
			put(brakeAllowed, float64(b.Allowed), b.Tenant)
		}
	}
	if c.Switches != nil {
		for tenant, off := range c.Switches() {
			put(tenantOff, truth(off), tenant)
		}
	}
	if c.Tokens != nil {
		now := time.Now()
		for _, t := range c.Tokens(now) {
			put(tokensLive, float64(len(t.Expires)), t.Tenant)
			for id, expires := range t.Expires {
				put(tokenExpires, expires.Sub(now).Seconds(), t.Tenant, id)
			}
		}
	}
	if c.Directories != nil {
		for _, d := range c.Directories() {
			put(directoryUp, truth(d.Answers), d.Name)
			put(directoryWrites, truth(d.Open), d.Name)
			if d.Server != "" {
				put(directoryServer, 1, d.Name, d.Server)
			}
		}
	}
	if c.Reload == nil {
		return
	}
	if r := c.Reload(); !r.At.IsZero() {
		put(reloadGood, truth(r.Good))
		put(reloadAt, float64(r.At.UnixMilli())/1000)
	}
}

func truth(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

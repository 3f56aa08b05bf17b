package config

import (
	"time"

	"scimgate/ldapsink"
	"scimgate/mapping"
)

// Config is the whole configuration file. Load returns it with all defaults
// filled in and all paths to files made absolute or relative to the working
// directory.
type Config struct {
	Server      Server               `yaml:"server"`
	Admin       Admin                `yaml:"admin"`
	StateDir    string               `yaml:"stateDir"`
	Log         Log                  `yaml:"log"`
	Directories map[string]Directory `yaml:"directories"`
	Tenants     []Tenant             `yaml:"tenants"`

	source *Source
}

// Source returns the places of the keys, for faults that later checks find.
func (c *Config) Source() *Source { return c.source }

// Server is the listener that identity providers speak to.
type Server struct {
	Listen string `yaml:"listen"`
	// ExternalURL is what meta.location starts with; "" takes it from the request.
	ExternalURL string    `yaml:"externalURL"`
	TLS         ServerTLS `yaml:"tls"`
	// TrustedProxies are addresses or networks whose X-Forwarded-For counts.
	TrustedProxies []string `yaml:"trustedProxies"`
	Limits         Limits   `yaml:"limits"`
}

// ServerTLS names the certificate; without one the listener speaks plain HTTP.
type ServerTLS struct {
	CertFile     string `yaml:"certFile"`
	KeyFile      string `yaml:"keyFile"`
	ClientCAFile string `yaml:"clientCAFile"`
}

// Limits bound one request.
type Limits struct {
	BodyBytes      Size          `yaml:"bodyBytes"`
	PageSize       int           `yaml:"pageSize"`
	BulkOperations int           `yaml:"bulkOperations"`
	RequestTimeout time.Duration `yaml:"requestTimeout"`
	// FilterEntries is how many entries are looked at for a filter that the
	// directory cannot answer by itself.
	FilterEntries int `yaml:"filterEntries"`
	// FailedAttempts is how many wrong tokens an address may present in a minute.
	FailedAttempts int `yaml:"failedAttempts"`
}

// Admin is the listener for health checks.
type Admin struct {
	Listen string `yaml:"listen"`
}

// Log is the provisioning log.
type Log struct {
	Provisioning     string        `yaml:"provisioning"`
	MaxSize          Size          `yaml:"maxSize"`
	MaxAge           time.Duration `yaml:"maxAge"`
	KeepFailedBodies bool          `yaml:"keepFailedBodies"`
}

// Directory is one LDAP service.
type Directory struct {
	// Flavor names the presets: openldap, activeDirectory, 389ds or generic. The
	// three keys after it replace some of them.
	Flavor      string        `yaml:"flavor"`
	Attributes  Attributes    `yaml:"attributes"`
	PageSize    *int          `yaml:"pageSize"`
	Controls    Controls      `yaml:"controls"`
	URLs        []string      `yaml:"urls"`
	Bind        Bind          `yaml:"bind"`
	TLS         DirectoryTLS  `yaml:"tls"`
	Connections int           `yaml:"connections"`
	Timeout     time.Duration `yaml:"timeout"`
	Retry       Retry         `yaml:"retry"`
	// ComeBack is how often a better server than the one in use is looked at.
	ComeBack time.Duration `yaml:"comeBack"`
	// Lag is how long after a write another server may not have it.
	Lag time.Duration `yaml:"lag"`
	// Protected adds to the entries that the flavor protects.
	Protected Protected `yaml:"protected"`
}

// Protected names entries that no tenant may take over or write.
type Protected struct {
	// Groups are names of groups whose members are protected.
	Groups []string `yaml:"groups"`
	// Filter is a search filter; what it matches is protected.
	Filter string `yaml:"filter"`
}

// Sink is the declaration in the words of the package that dials.
func (d Directory) Sink() ldapsink.Config {
	pageSize := 0
	if d.PageSize != nil {
		pageSize = *d.PageSize
	}
	return ldapsink.Config{
		Flavor:      d.Flavor,
		Attributes:  ldapsink.Attributes(d.Attributes),
		Controls:    ldapsink.Controls(d.Controls),
		PageSize:    pageSize,
		URLs:        d.URLs,
		Bind:        ldapsink.Bind{DN: d.Bind.DN, Password: d.Bind.Password.Reveal()},
		TLS:         ldapsink.TLS{CAFile: d.TLS.CAFile, StartTLS: d.TLS.StartTLS},
		Connections: d.Connections,
		Timeout:     d.Timeout,
		Retry:       ldapsink.Retry{Attempts: d.Retry.Attempts, Base: d.Retry.Base, Cap: d.Retry.Cap},
		ComeBack:    d.ComeBack,
		Lag:         d.Lag,
		Protected:   ldapsink.Protected{Groups: d.Protected.Groups, Filter: d.Protected.Filter},
	}
}

// Attributes are the directory's own attributes by which entries are known; ""
// is the flavor's.
type Attributes struct {
	ID       string `yaml:"id"`
	DN       string `yaml:"dn"`
	Version  string `yaml:"version"`
	Created  string `yaml:"created"`
	Modified string `yaml:"modified"`
}

// Controls say whether a control is used where the server announces it: auto
// or never.
type Controls struct {
	Assertion      string `yaml:"assertion"`
	PostRead       string `yaml:"postRead"`
	PasswordPolicy string `yaml:"passwordPolicy"`
}

// Bind is who the gateway is in the directory. After Load Password holds the
// secret, wherever it came from.
type Bind struct {
	DN           string `yaml:"dn"`
	Password     Secret `yaml:"password"`
	PasswordFile string `yaml:"passwordFile"`
}

// DirectoryTLS is how the directory is trusted; without a CAFile by the
// system's certificates.
type DirectoryTLS struct {
	CAFile   string `yaml:"caFile"`
	StartTLS bool   `yaml:"startTLS"`
}

// Retry is for results that can pass by themselves: Attempts in all, the first
// included, with delays that grow from Base to Cap.
type Retry struct {
	Attempts int           `yaml:"attempts"`
	Base     time.Duration `yaml:"base"`
	Cap      time.Duration `yaml:"cap"`
}

// Tenant is one connection of an identity provider.
type Tenant struct {
	Name string `yaml:"name"`
	// Directory names one of Config.Directories.
	Directory string `yaml:"directory"`
	// Primary lets the tenant answer at DefaultBasePath as well.
	Primary  bool   `yaml:"primary"`
	BasePath string `yaml:"basePath"`
	Tokens   Tokens `yaml:"tokens"`
	OIDC     OIDC   `yaml:"oidc"`
	// Me is nil for a tenant whose tokens name no people.
	Me *Me `yaml:"me"`
	// Profile names a rule set; "" is none.
	Profile string `yaml:"profile"`
	// Protocol is what the tenant offers of SCIM.
	Protocol Protocol `yaml:"protocol"`
	Brake    Brake    `yaml:"brake"`
	// Provenance is request or default: when an answer shows who manages a resource.
	Provenance string `yaml:"provenance"`
	// Limits are narrower than those of the server.
	Limits TenantLimits    `yaml:"limits"`
	Users  *mapping.Config `yaml:"users"`
	// Groups is nil for a tenant without groups.
	Groups *mapping.Config `yaml:"groups"`
	// ResourceTypes are further types of resources.
	ResourceTypes []ResourceType `yaml:"resourceTypes"`
}

// ResourceType declares a type of resource beyond users and groups.
type ResourceType struct {
	// Name is what references and meta.resourceType call it: Device.
	Name string `yaml:"name"`
	// Endpoint is its path below the base path: Devices.
	Endpoint string `yaml:"endpoint"`
	// Schema is the URN of the schema that its attributes make.
	Schema      string `yaml:"schema"`
	Description string `yaml:"description"`

	mapping.Config `yaml:",inline"`
}

// DefaultBasePath is the path of a tenant that is alone or primary.
const DefaultBasePath = "/scim/v2"

// BasePaths returns all paths that the tenant answers at, its own first.
func (t Tenant) BasePaths() []string {
	if t.Primary && t.BasePath != DefaultBasePath {
		return []string{t.BasePath, DefaultBasePath}
	}
	return []string{t.BasePath}
}

// Tokens bounds the bearer tokens of a tenant: Max that live at a time.
type Tokens struct {
	Max      int           `yaml:"max"`
	Lifetime time.Duration `yaml:"lifetime"`
	// Replace lets a new token end the old ones at once.
	Replace bool `yaml:"replace"`
	// Warn is how long before its end a token is warned of.
	Warn time.Duration `yaml:"warn"`
	// File is a token file that is made elsewhere and only read; "" is the one in
	// Config.StateDir.
	File string `yaml:"file"`
}

// OIDC is for access tokens of an OpenID provider.
type OIDC struct {
	Issuer   string `yaml:"issuer"`
	Audience string `yaml:"audience"`
	Scope    string `yaml:"scope"`
}

// Me lets people whom a token names act on themselves: By is the SCIM attribute
// that finds them, Methods is what they may do.
type Me struct {
	By      string   `yaml:"by"`
	Methods []string `yaml:"methods,orscalar"`
}

// Brake is for mass changes.
type Brake struct {
	Changes int           `yaml:"changes"`
	Per     time.Duration `yaml:"per"`
}

// Defaults sets what holds where the file says nothing.
func (c *Config) Defaults() {
	c.Server.Listen = ":8443"
	c.Server.Limits = Limits{
		BodyBytes: 1 << 20, PageSize: 100, BulkOperations: 1000, RequestTimeout: 20 * time.Second,
		FilterEntries: 50_000, FailedAttempts: 30,
	}
	c.Admin.Listen = "127.0.0.1:8081"
	c.StateDir = "/var/lib/scimgate"
	c.Log.MaxSize, c.Log.MaxAge = 100e6, 90*24*time.Hour
}

// Defaults sets what holds where the file says nothing.
func (d *Directory) Defaults() {
	d.Flavor = "openldap"
	d.Connections = 4
	d.Timeout = 5 * time.Second
	d.Retry = Retry{Attempts: 6, Base: 50 * time.Millisecond, Cap: 2 * time.Second}
	d.ComeBack, d.Lag = 10*time.Second, 30*time.Second
}

// Defaults sets what holds where the file says nothing.
func (m *Me) Defaults() {
	m.By, m.Methods = "userName", []string{"GET"}
}

// Defaults sets what holds where the file says nothing.
func (t *Tenant) Defaults() {
	t.Tokens = Tokens{Max: 2, Lifetime: 8760 * time.Hour, Warn: 30 * 24 * time.Hour}
	t.Provenance = mapping.ProvenanceOnRequest
}

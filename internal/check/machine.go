package check

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io/fs"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"scimgate/internal/token"
)

// soon is how long before its end a certificate is worth a word.
const soon = 30 * 24 * time.Hour

// machine checks what is on this machine: certificate, folder, tokens, addresses.
func (c *checker) machine() {
	c.certificate()
	if c.folder() {
		c.tokens()
	}
	for _, t := range c.Tenants {
		c.brake(t)
	}
	c.address("server.listen", c.Config.Server.Listen)
	c.address("admin.listen", c.Config.Admin.Listen)
}

// certificate checks what identity providers will be shown.
func (c *checker) certificate() {
	const key = "server.tls.certFile"
	files := c.Config.Server.TLS
	if files.CertFile == "" {
		return
	}
	pair, err := tls.LoadX509KeyPair(files.CertFile, files.KeyFile)
	if err != nil {
		c.err(key, "cannot be used with the key in keyFile: %v; give the certificate, with those between it and its authority after it, and its own key", err)
		return
	}
	leaf := pair.Leaf
	c.expiry(key, "the certificate", leaf)
	if u, err := url.Parse(c.Config.Server.ExternalURL); err == nil && u.Scheme == "https" {
		if err := leaf.VerifyHostname(u.Hostname()); err != nil {
			c.warn(key, "the certificate is not for %s, the host of server.externalURL: %v; use one for that name, unless a proxy has it", u.Hostname(), err)
		}
	}
}

// expiry reports a certificate that is over, not yet good, or soon over.
func (c *checker) expiry(key, what string, leaf *x509.Certificate) {
	day := func(t time.Time) string { return t.UTC().Format("2006-01-02") }
	switch {
	case c.Now.After(leaf.NotAfter):
		c.err(key, "%s expired on %s; renew it", what, day(leaf.NotAfter))
	case c.Now.Before(leaf.NotBefore):
		c.err(key, "%s is not good before %s; compare the clocks", what, day(leaf.NotBefore))
	case c.Now.Add(soon).After(leaf.NotAfter):
		c.warn(key, "%s expires on %s; renew it", what, day(leaf.NotAfter))
	}
}

// folder reports whether the state folder can be used. It does not make it.
func (c *checker) folder() bool {
	folder := c.Config.StateDir
	info, err := os.Stat(folder)
	for errors.Is(err, fs.ErrNotExist) && folder != filepath.Dir(folder) {
		folder = filepath.Dir(folder)
		info, err = os.Stat(folder)
	}
	switch {
	case err != nil:
		c.err("stateDir", "%v; name a folder that the gateway may use", err)
	case !info.IsDir():
		c.err("stateDir", "%s is no folder; name one that the gateway may use", folder)
	case !writable(folder):
		c.err("stateDir", "%s cannot be written to by this user; give it to the account that runs the gateway, and check as that account", folder)
	default:
		return true
	}
	return false
}

// tokens checks whether anybody can call each tenant.
func (c *checker) tokens() {
	for _, t := range c.Tenants {
		key := parent(t.Types[0].Key) + ".tokens"
		file := token.Of(c.Config.StateDir, t.Config.Name, t.Config.Tokens.File)
		make := "make one with scimgate token create --tenant " + t.Config.Name
		if given := t.Config.Tokens.File; given != "" {
			if _, err := os.Stat(given); err != nil {
				c.err(key+".file", "%v; mount the secret there that has the file, or leave the key out", err)
				continue
			}
			make += " --file FILE, and hand that file out in place of this one"
		}
		all, err := file.List()
		if err != nil {
			c.err(key, "the tokens cannot be read: %v; check as the account that runs the gateway", err)
			continue
		}
		c.ends(key, all, t.Config.Tokens.Warn, otherWayIn(t.Config), make)
	}
}

// ends reports a tenant that nobody can call, now or soon, and tokens that end soon
// or never; other says that there is another way in. Those that name people are
// theirs to mind.
func (c *checker) ends(key string, all []token.Token, warn time.Duration, other bool, make string) {
	live := 0
	var last token.Token
	var ending []token.Token
	for _, one := range all {
		if one.Subject != "" {
			continue
		}
		if one.Live(c.Now) {
			live++
		}
		if one.Ending(c.Now, warn) {
			ending = append(ending, one)
		}
		if one.Expires.After(last.Expires) {
			last = one
		}
	}
	day := func(t token.Token) string { return t.Expires.UTC().Format(time.DateOnly) }
	switch {
	case last.ID == "" && other: // by a certificate, or a token of an issuer
	case last.ID == "":
		c.warn(key, "the tenant has no token, so nobody can call it; %s", make)
	case live == 0:
		c.warn(key, "the last token of the tenant expired on %s, so nobody can call it; %s", day(last), make)
	case c.Now.Add(warn).After(last.Expires):
		c.warn(key, "the last token of the tenant expires on %s; %s, and give it to the identity provider", day(last), make)
	default:
		for _, one := range ending {
			c.note(key, "the token %s expires on %s; see in scimgate token list that the identity provider uses another one", one.ID, day(one))
		}
	}
	if last.Expires.After(c.Now.AddDate(10, 0, 0)) {
		c.warn(key, "a token of the tenant is good until %d; one that nobody replaces is one that nobody misses when it is stolen: make one that ends", last.Expires.Year())
	}
}

// address checks whether the gateway could listen there. One that is taken may
// be taken by the gateway itself.
func (c *checker) address(key, address string) {
	l, err := net.Listen("tcp", address)
	switch {
	case err == nil:
		_ = l.Close() // nobody has used it
	case errors.Is(err, syscall.EADDRINUSE):
		c.note(key, "%s is in use; if that is not this gateway, choose another address", address)
	case errors.Is(err, syscall.EACCES):
		c.err(key, "%s may not be listened at by this user; choose a port above 1023", address)
	default:
		c.err(key, "%s cannot be listened at: %v; give an address of this machine", address, err)
	}
}

// parent is the key above the last part of a key.
func parent(key string) string { return key[:max(0, strings.LastIndexByte(key, '.'))] }

package check

import (
	"context"
	"fmt"
	"slices"

	"scimgate/internal/directory"
	"scimgate/ldapsink"
)

// servers checks each server of a directory, and reports whether the mappings can
// be held against it.
func (c *checker) servers(ctx context.Context, key string, sink *ldapsink.Sink, tenants []Tenant) bool {
	bases := bases(tenants)
	var usable []ldapsink.Server
	for i, address := range sink.URLs() {
		at := fmt.Sprintf("%s.urls[%d]", key, i)
		all, err := sink.Servers(ctx, address)
		if err != nil {
			c.err(at, "names no servers: %v; correct the domain, or give the servers themselves", err)
			continue
		}
		goOn := true
		for _, url := range all {
			if usable, goOn = c.server(ctx, key, at, url, sink, usable, bases); !goOn {
				break
			}
		}
		if !goOn {
			break
		}
	}
	if len(usable) == 0 {
		for _, t := range tenants {
			c.note(t.Types[0].Key, "is not held against the directory %s, which cannot be used; mend that and check again", t.Config.Directory)
		}
		return false
	}
	c.contexts(usable[0], tenants)
	return c.flavor(key, usable[0], tenants)
}

// server checks one server, and adds it to those that are usable. goOn says that
// others are worth a look.
func (c *checker) server(ctx context.Context, key, at, url string, sink *ldapsink.Sink, usable []ldapsink.Server, bases []string) (now []ldapsink.Server, goOn bool) {
	server, err := sink.Probe(ctx, url, bases)
	if server.Certificate != nil {
		c.expiry(at, "the certificate of the server", server.Certificate)
	}
	if err != nil {
		why := ldapsink.Why(err)
		c.unusable(key, at, url, why, err)
		return usable, why.Step != ldapsink.StepBind // others would say the same, and count it against the account
	}
	c.controls(key, at, server)
	c.sameTree(at, server, usable, bases)
	return append(usable, server), true
}

// generic is the flavor of a server that is none of the others.
const generic = "generic"

// unusable says why a server cannot be used, and what would be right.
func (c *checker) unusable(key, at, url string, why ldapsink.Refusal, err error) {
	switch {
	case why.Expired:
		c.err(at, "the certificate of %s has expired or is not good yet; renew it there, or compare the clocks", url)
	case why.OtherName:
		c.err(at, "the certificate of %s is for another name: %v; use the name in the certificate", url, err)
	case why.Untrusted:
		c.err(at, "the certificate of %s is not trusted: %v; give the certificate of its authority in tls.caFile", url, err)
	case why.Step == ldapsink.StepDial:
		c.err(at, "cannot be reached: %v; see whether the server runs and the way to it is open", err)
	case why.Step == ldapsink.StepTLS:
		c.err(at, "does not speak TLS there: %v; see whether the port is that of ldaps", err)
	case why.Step == ldapsink.StepStartTLS:
		c.err(at, "does not start TLS: %v; use ldaps://, or set up TLS at the server", err)
	case why.Step == ldapsink.StepBind && (why.Code == 0 || why.Code >= noResult):
		c.err(at, "%s does not answer the bind: %v; see what listens there, and whether it is well", url, err)
	case why.Step == ldapsink.StepBind:
		problem, advice, where := refusedBind(why)
		if where != "" {
			at = key + "." + where
		}
		c.err(at, "%s refuses the bind: %s; %s", url, problem, advice)
	default:
		c.err(at, "does not answer as a directory does: %v; see what listens there", err)
	}
}

// Result codes of a bind (RFC 4511 appendix A).
const (
	strongAuthRequired      = 8
	confidentialityRequired = 13
	constraintViolation     = 19
	noSuchObject            = 32
	invalidDNSyntax         = 34
	inappropriateAuth       = 48
	invalidCredentials      = 49
	unwillingToPerform      = 53

	noResult = 200 // from here on they are the library's own
)

// subcodes are what Active Directory adds to a refusal.
var subcodes = map[string][2]string{
	"525": {"there is no such account", "correct bind.dn"},
	"52e": {"wrong name or password", "correct bind.dn, or the password"},
	"530": {"the account may not sign in at this time", "lift the restriction"},
	"531": {"the account may not sign in from this machine", "lift the restriction"},
	"532": {"the password has expired", "set a new one that does not expire"},
	"533": {"the account is disabled", "enable it"},
	"701": {"the account has expired", "give it another end, or none"},
	"773": {"the password has to be changed first", "set one without that demand"},
	"775": {"the account is locked", "unlock it, and find out who tries wrong passwords"},
}

// refusedBind says what a refused bind means, what would be right, and the key
// that is to blame; "" is the URL.
func refusedBind(why ldapsink.Refusal) (problem, advice, key string) {
	if text, ok := subcodes[why.Data]; ok {
		return text[0], text[1], "bind.dn"
	}
	switch why.Code {
	case invalidCredentials:
		return "wrong name or password, or the account is locked, which the server does not tell apart", "correct bind.dn or the password, or unlock the account", "bind.dn"
	case unwillingToPerform:
		return "the account is locked or not to be used", "unlock it", "bind.dn"
	case constraintViolation:
		return "the account is locked after too many wrong passwords", "unlock it", "bind.dn"
	case noSuchObject, invalidDNSyntax:
		return "there is no such account", "correct bind.dn", "bind.dn"
	case inappropriateAuth:
		return "the account has no password", "give it one", "bind.dn"
	case strongAuthRequired, confidentialityRequired:
		return "it takes passwords over TLS only", "use ldaps://, or set tls.startTLS", ""
	}
	return fmt.Sprintf("result %d", why.Code), "see the server's log", ""
}

// flavor compares what a server shows to be with what the file says. With the
// wrong one nearly everything below would be a fault that is none.
func (c *checker) flavor(key string, server ldapsink.Server, tenants []Tenant) bool {
	given := c.Config.Directories[key[len("directories."):]].Flavor
	switch {
	case server.Fits == given:
	case server.Fits != "" && given != generic:
		c.err(key+".flavor", "the server shows to be %s and not %s; write flavor: %s", server.Fits, given, server.Fits)
		for _, t := range tenants {
			c.note(t.Types[0].Key, "is not held against the directory %s, whose flavor is another; mend that and check again", t.Config.Directory)
		}
		return false
	case server.Fits != "":
		c.warn(key+".flavor", "the server shows to be %s and not %s; write flavor: %s", server.Fits, given, server.Fits)
	case given != generic:
		vendor := ""
		if server.Vendor != "" {
			vendor = " (it calls itself " + server.Vendor + ")"
		}
		c.warn(key+".flavor", "the server does not show to be %s%s; if it is another, write flavor: generic", given, vendor)
	}
	return true
}

// wanted are the controls that the gateway uses where a server has them, and
// what it does where one has not.
var wanted = []struct{ oid, name, instead string }{
	{"1.3.6.1.1.12", "assertion (RFC 4528)", "the version of an entry is compared just before a write, and the marker's old value within it"},
	{"1.3.6.1.1.13.2", "post-read (RFC 4527)", "an entry is read again after a write"},
	{"1.2.840.113556.1.4.319", "paged results (RFC 2696)", "a list is read at once, and one that is longer than the server's limit is refused"},
}

// controls notes what a server of the flavor does without.
func (c *checker) controls(key, at string, server ldapsink.Server) {
	for _, w := range wanted {
		if !server.Supports(w.oid) {
			c.note(at, "the server has no control %s: %s; nothing has to be done", w.name, w.instead)
		}
	}
}

// contexts looks whether a server holds the trees that the bases are in.
func (c *checker) contexts(server ldapsink.Server, tenants []Tenant) {
	if len(server.Contexts) == 0 {
		return
	}
	for _, t := range tenants {
		for _, typ := range t.Types {
			base := typ.Mapping.Collection().Base
			if !slices.ContainsFunc(server.Contexts, func(top string) bool { return within(base, top) }) {
				c.outside[typ.Key] = true
				c.err(typ.Key+".base", "%q is in none of the trees of %s; these are %s", base, server.URL, list(server.Contexts))
			}
		}
	}
}

// sameTree compares a server with those before it.
func (c *checker) sameTree(at string, server ldapsink.Server, before []ldapsink.Server, bases []string) {
	if len(before) == 0 {
		return
	}
	first := before[0]
	for _, base := range bases {
		if first.IDs[base] != server.IDs[base] {
			c.err(at, "%s is not the same entry there as at %s; name servers of one directory only", base, first.URL)
			return
		}
	}
	if server.Fits != first.Fits {
		c.err(at, "is another kind of server than %s; name servers of one directory only", first.URL)
	}
}

// within reports whether a name is another or below it.
func within(dn, above string) bool {
	dn, above = directory.FoldDN(dn), directory.FoldDN(above)
	return dn == above || above == "" || len(dn) > len(above) && dn[len(dn)-len(above)-1:] == ","+above
}

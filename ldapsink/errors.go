package ldapsink

import (
	"crypto/tls"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// fail returns an error of a kind. The operation is added where it is known.
func fail(kind directory.Kind, err error) error { return &directory.Error{Kind: kind, Err: err} }

// failf is fail with a text of its own.
func failf(kind directory.Kind, format string, args ...any) error {
	return fail(kind, fmt.Errorf(format, args...))
}

// wrap makes any error a *directory.Error of the operation.
func wrap(op string, err error) error {
	if err == nil {
		return nil
	}
	var own *directory.Error
	if errors.As(err, &own) {
		named := *own
		named.Op = op
		return &named
	}
	if reason := policyReason(err); reason != "" {
		return &directory.Error{Op: op, Kind: directory.Invalid, Attribute: passwordAttribute, Reason: reason, Err: err}
	}
	if reason, attribute := policyPiece(err); reason != "" {
		return &directory.Error{Op: op, Kind: directory.Invalid, Attribute: attribute, Reason: reason, Err: err}
	}
	return &directory.Error{Op: op, Kind: kindOf(err), Attribute: blamed(err), Err: err,
		Malformed: ldap.IsErrorAnyOf(err, ldap.LDAPResultInvalidAttributeSyntax, ldap.LDAPResultConstraintViolation)}
}

// kindOf says what the result of an operation means to a caller of the Store.
// Codes that mean something else to one operation are read there.
func kindOf(err error) directory.Kind {
	var away *awayError
	var dial *dialError
	var reader *noWriterError
	var answer *ldap.Error
	// A directory that lets nobody in is away too, whoever's mistake it is:
	// nothing was done, and the same request is right once it is mended.
	if errors.As(err, &away) || errors.As(err, &dial) || errors.As(err, &reader) || errors.Is(err, errClosed) || classify(err) != permanent {
		return directory.Unavailable
	}
	if !errors.As(err, &answer) {
		return directory.Internal
	}
	if kind, ok := kinds[answer.ResultCode]; ok {
		return kind
	}
	if answer.ResultCode == ldap.LDAPResultOperationsError && mentions(err, malformed) {
		return directory.Invalid
	}
	return directory.Internal
}

// malformed are pieces of the diagnostic by which an operations error means that
// a value is none: a name of which Samba can make no Kerberos principal.
var malformed = []string{"Malformed representation of principal"}

// kinds are the result codes (RFC 4511 appendix A) that are anybody's but the
// operator's business.
var kinds = map[uint16]directory.Kind{
	ldap.LDAPResultNoSuchObject:              directory.NotFound,
	ldap.LDAPResultEntryAlreadyExists:        directory.Exists,
	ldap.LDAPResultAssertionFailed:           directory.Changed,
	ldap.LDAPResultConstraintViolation:       directory.Invalid,
	ldap.LDAPResultInvalidAttributeSyntax:    directory.Invalid,
	ldap.LDAPResultInvalidDNSyntax:           directory.Invalid,
	ldap.LDAPResultNamingViolation:           directory.Invalid,
	ldap.LDAPResultObjectClassViolation:      directory.Invalid,
	ldap.LDAPResultNotAllowedOnRDN:           directory.Invalid,
	ldap.LDAPResultObjectClassModsProhibited: directory.Invalid,
	ldap.LDAPResultAffectsMultipleDSAs:       directory.Invalid,
	ldap.LDAPResultNoSuchAttribute:           directory.Invalid,
	ldap.LDAPResultAttributeOrValueExists:    directory.Invalid,
	ldap.LDAPResultTimeLimitExceeded:         directory.TooMany,
	ldap.LDAPResultSizeLimitExceeded:         directory.TooMany,
	ldap.LDAPResultAdminLimitExceeded:        directory.TooMany,
}

// notUnique reports whether a refusal means that a value is somebody else's.
func (f flavor) notUnique(err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultConstraintViolation) && mentions(err, f.taken)
}

// unheardOf reports whether a refusal means that the schema has no such
// attribute, which only an operator can mend.
func (f flavor) unheardOf(err error) bool {
	return ldap.IsErrorWithCode(err, ldap.LDAPResultNoSuchAttribute) && mentions(err, f.unknown)
}

// mentions reports whether the server's text has one of the pieces.
func mentions(err error, pieces []string) bool {
	return slices.ContainsFunc(pieces, func(piece string) bool { return strings.Contains(err.Error(), piece) })
}

// The places where diagnostics name an attribute: "mail: value #0 invalid per
// syntax", "modify/add: mail: value #0 already exists", "attribute 'mail' not
// allowed", "object class 'inetOrgPerson' requires attribute 'sn'"; `missing attribute
// "sn" required by object class "person"`, `(attribute: "mail ")` (389 DS);
// "SINGLE-VALUE attribute mail on CN=... specified more than once" (Samba).
var (
	quotedAttribute  = regexp.MustCompile(`attribute:? ['"]([A-Za-z0-9.;_-]+) ?['"]`)
	singleAttribute  = regexp.MustCompile(`SINGLE-VALUE attribute ([A-Za-z0-9.;_-]+) `)
	leadingAttribute = regexp.MustCompile(`^(?:modify/[a-z]+: )?([A-Za-z][A-Za-z0-9.;_-]*|[0-9]+(?:\.[0-9]+)+): `)
)

// blamed returns the attribute that the server's text names, or "".
func blamed(err error) string {
	var answer *ldap.Error
	if !errors.As(err, &answer) || answer.ResultCode >= ldap.ErrorNetwork || answer.Err == nil {
		return ""
	}
	text := answer.Err.Error()
	for _, form := range []*regexp.Regexp{quotedAttribute, singleAttribute, leadingAttribute} {
		if m := form.FindStringSubmatch(text); m != nil {
			return m[1]
		}
	}
	if strings.HasPrefix(text, "Password ") { // a module of overlay ppolicy
		return passwordAttribute
	}
	return ""
}

// untrusted reports whether a connection failed because the server's
// certificate does. The library keeps only the text of a failed StartTLS.
func untrusted(err error) bool {
	var refused *tls.CertificateVerificationError
	return errors.As(err, &refused) || strings.Contains(err.Error(), "failed to verify certificate")
}

package ldapsink

import (
	"errors"
	"testing"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"

	"scimgate/internal/directory"
)

// policyAnswer is a refusal with a policy's response control of the given bytes.
func policyAnswer(code uint16, text string, control string) error {
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "LDAP Response")
	packet.AppendChild(ber.NewInteger(ber.ClassUniversal, ber.TypePrimitive, ber.TagInteger, 1, "id"))
	packet.AppendChild(ber.Encode(ber.ClassApplication, ber.TypeConstructed, ldap.ApplicationModifyResponse, nil, "response"))
	controls := ber.Encode(ber.ClassContext, ber.TypeConstructed, 0, nil, "controls")
	controls.AppendChild(ldap.NewControlString(ldap.ControlTypeBeheraPasswordPolicy, false, control).Encode())
	packet.AppendChild(controls)
	return &ldap.Error{ResultCode: code, Err: errors.New(text), Packet: ber.DecodePacket(packet.Bytes())}
}

func TestOnlyKnownSentencesOfAPolicyAreShown(t *testing.T) {
	const (
		constraint = ldap.LDAPResultConstraintViolation
		quality    = "Password fails quality checking policy"
		tooShort   = "\x30\x03\x81\x01\x06"
	)
	plain := func(code uint16, text string) error { return ldap.NewError(code, errors.New(text)) }
	for name, tc := range map[string]struct {
		err  error
		want string
	}{
		"sentence":                     {plain(constraint, quality), quality},
		"sentence of another result":   {plain(ldap.LDAPResultInsufficientAccessRights, "User alteration of password is not allowed"), "User alteration of password is not allowed"},
		"sentence of no refusal":       {plain(ldap.LDAPResultBusy, quality), ""},
		"sentence with more":           {plain(constraint, quality+" for uid=ann,ou=people"), ""},
		"another text":                 {plain(constraint, "Password of cn=admin is secret"), ""},
		"no text":                      {plain(constraint, ""), ""},
		"no answer":                    {errors.New(quality), ""},
		"nothing":                      {nil, ""},
		"sentence and code":            {policyAnswer(constraint, quality, tooShort), quality + " (it is too short)"},
		"a module's text and code":     {policyAnswer(constraint, "uid=ann needs a digit", "\x30\x03\x81\x01\x05"), quality},
		"another text and code":        {policyAnswer(constraint, "dn: x", tooShort), "Password is too short"},
		"another result and code":      {policyAnswer(ldap.LDAPResultNoSuchObject, quality, tooShort), ""},
		"code that is about a bind":    {policyAnswer(constraint, "x", "\x30\x03\x81\x01\x01"), ""},
		"code that nobody knows":       {policyAnswer(constraint, "x", "\x30\x03\x81\x01\x63"), ""},
		"control of no error":          {policyAnswer(constraint, "x", "\x30\x00"), ""},
		"control that cannot be read":  {policyAnswer(constraint, quality, "\x30\x7f\x81"), quality},
		"control that is empty":        {policyAnswer(constraint, quality, ""), quality},
		"control of the wrong kind":    {policyAnswer(constraint, quality, "\x04\x03abc"), quality},
		"control with an empty error":  {policyAnswer(constraint, quality, "\x30\x02\x81\x00"), quality},
		"answer that ends too early":   {&ldap.Error{ResultCode: constraint, Err: errors.New(quality), Packet: &ber.Packet{}}, quality},
		"answer with nothing in it":    {&ldap.Error{ResultCode: constraint, Err: errors.New(quality), Packet: &ber.Packet{Children: make([]*ber.Packet, 3)}}, quality},
		"answer without an error text": {&ldap.Error{ResultCode: constraint}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := policyReason(tc.err); got != tc.want {
				t.Fatalf("%q, wanted %q", got, tc.want)
			}
			if tc.want == "" {
				return
			}
			var e *directory.Error
			if !errors.As(wrap("modify", tc.err), &e) || e.Kind != directory.Invalid || e.Attribute != "userPassword" || e.Reason != tc.want {
				t.Errorf("%+v", e)
			}
		})
	}
}

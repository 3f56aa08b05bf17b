package ldapsink

import (
	"crypto/rand"
	"errors"
	"slices"
	"strings"
	"unicode/utf16"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// passwordAttribute is what password policies are about, whatever the directory
// (draft-behera-ldap-password-policy, section 5.2.1).
const passwordAttribute = "userPassword"

// adPasswordAttribute is that of Active Directory ([MS-ADTS] section 3.1.1.3.1.5.1).
const adPasswordAttribute = "unicodePwd"

func isPassword(attribute string) bool {
	return strings.EqualFold(attribute, passwordAttribute) || strings.EqualFold(attribute, adPasswordAttribute)
}

// onWire returns the values of an attribute as they are sent. Active Directory
// takes a password in quotes and as UTF-16.
func onWire(attribute string, values []string) []string {
	if !strings.EqualFold(attribute, adPasswordAttribute) {
		return values
	}
	sent := make([]string, len(values))
	for i, v := range values {
		for _, unit := range utf16.Encode([]rune(`"` + v + `"`)) {
			sent[i] += string([]byte{byte(unit), byte(unit >> 8)})
		}
	}
	return sent
}

// randomPassword returns a password that nobody knows, for an account that could
// not be enabled without one. It has letters of both cases, digits and other
// characters, as policies ask for, and 240 bits of chance.
func randomPassword() string { return rand.Text() + strings.ToLower(rand.Text()) + "-0aA" }

// policy returns the control by which a write that sets a password has the
// server's policy say why it refuses one. It is not critical: a server whose
// policy is not in force here takes no notice.
func (l *link) policy() []ldap.Control {
	if !l.supports(ldap.ControlTypeBeheraPasswordPolicy) {
		return nil
	}
	return []ldap.Control{ldap.NewControlBeheraPasswordPolicy()}
}

// policyReason returns why a password policy refused a write, or "" where none
// did. It is made of sentences from tables: a client sees it, and a server's own
// text may say anything.
func policyReason(err error) string {
	var answer *ldap.Error
	if !errors.As(err, &answer) || answer.Err == nil || !slices.Contains(policyResults, answer.ResultCode) {
		return ""
	}
	code, told := policyCode(answer.Packet)
	text := answer.Err.Error()
	switch {
	case slices.Contains(policySentences, text) && told && policyDetails[code] != "":
		return text + " (" + policyDetails[code] + ")"
	case slices.Contains(policySentences, text):
		return text
	case told:
		return policyCodes[code]
	}
	return ""
}

// policyPiece is policyReason for servers that put numbers into their sentences:
// a piece of the sentence tells. It returns the attribute that holds passwords
// there as well.
func policyPiece(err error) (reason, attribute string) {
	if !ldap.IsErrorWithCode(err, ldap.LDAPResultConstraintViolation) {
		return "", ""
	}
	for _, p := range policyPieces {
		if strings.Contains(err.Error(), p.piece) {
			return p.reason, p.attribute
		}
	}
	return "", ""
}

// policyCode returns the error in the policy's response control (section 6.2 of
// the draft). The library decodes controls of an answer only where it was no
// refusal, but keeps the answer.
func policyCode(answer *ber.Packet) (int8, bool) {
	if answer == nil || len(answer.Children) < 3 || answer.Children[2] == nil {
		return 0, false
	}
	for _, child := range answer.Children[2].Children {
		decoded, err := ldap.DecodeControl(child)
		if err != nil {
			continue // whatever it is, it explains nothing
		}
		if policy, ok := decoded.(*ldap.ControlBeheraPasswordPolicy); ok && policyCodes[policy.Error] != "" {
			return policy.Error, true
		}
	}
	return 0, false
}

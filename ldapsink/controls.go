package ldapsink

import (
	"fmt"

	ber "github.com/go-asn1-ber/asn1-ber"
	"github.com/go-ldap/ldap/v3"
)

// Controls by number.
const (
	oidAssertion = "1.3.6.1.1.12"   // RFC 4528
	oidPostRead  = "1.3.6.1.1.13.2" // RFC 4527 section 3.2
)

// control is a request control with an encoding of its own: the library writes
// TRUE as 0x01 where RFC 4511 section 5.1 asks for 0xFF, and a server that
// takes that for FALSE performs a write whose condition has failed.
type control struct {
	oid   string
	value *ber.Packet // nil where the control has none
}

func (c control) GetControlType() string { return c.oid }

func (c control) String() string { return "critical control " + c.oid }

// Encode returns the control as RFC 4511 section 4.1.11 has it, critical.
func (c control) Encode() *ber.Packet {
	packet := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Control")
	packet.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, c.oid, "Type"))
	packet.AppendChild(ber.NewLDAPBoolean(ber.ClassUniversal, ber.TypePrimitive, ber.TagBoolean, true, "Criticality"))
	if c.value != nil {
		value := ber.Encode(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, nil, "Value")
		value.Data.Write(c.value.Bytes())
		packet.AppendChild(value)
	}
	return packet
}

// assertion lets a write happen only to an entry that the filter matches.
func assertion(filter string) (ldap.Control, error) {
	packet, err := ldap.CompileFilter(filter)
	if err != nil {
		return nil, fmt.Errorf("assertion %s: %w", filter, err)
	}
	return control{oidAssertion, packet}, nil
}

// postRead asks for the entry as the write leaves it.
func postRead(attributes []string) ldap.Control {
	list := ber.Encode(ber.ClassUniversal, ber.TypeConstructed, ber.TagSequence, nil, "Attributes")
	for _, name := range attributes {
		list.AppendChild(ber.NewString(ber.ClassUniversal, ber.TypePrimitive, ber.TagOctetString, name, "Attribute"))
	}
	return control{oidPostRead, list}
}

// postReadEntry returns the entry among the controls of an answer; nil where
// the server did not send it.
func postReadEntry(controls []ldap.Control) (*ldap.Entry, error) {
	c, ok := ldap.FindControl(controls, oidPostRead).(*ldap.ControlString)
	if !ok {
		return nil, nil
	}
	packet, err := ber.DecodePacketErr([]byte(c.ControlValue))
	if err != nil {
		return nil, fmt.Errorf("read post-read control: %w", err)
	}
	if len(packet.Children) < 2 {
		return nil, fmt.Errorf("read post-read control: %d parts instead of a name and attributes", len(packet.Children))
	}
	entry := &ldap.Entry{DN: packet.Children[0].Data.String()}
	for _, attribute := range packet.Children[1].Children {
		if len(attribute.Children) != 2 {
			return nil, fmt.Errorf("read post-read control: attribute of %d parts", len(attribute.Children))
		}
		var values []string
		for _, v := range attribute.Children[1].Children {
			values = append(values, v.Data.String())
		}
		entry.Attributes = append(entry.Attributes, &ldap.EntryAttribute{Name: attribute.Children[0].Data.String(), Values: values})
	}
	return entry, nil
}

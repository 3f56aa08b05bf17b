package mapping

import (
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"strconv"
	"strings"
	"time"

	"scimgate/internal/scim"
)

// binaryOption asks the directory for the encoding that certificates need
// (RFC 4522).
const binaryOption = ";binary"

// generalizedTime is the layout of RFC 4517 section 3.3.13 in UTC.
const generalizedTime = "20060102150405.999999999Z"

// ldapText writes a value of a SCIM type as LDAP has it: booleans as TRUE and
// FALSE, times as generalized times, binary values as their bytes. Text that is
// not of the type came out of the directory as it is, and goes back so.
func ldapText(t scim.Type, v any) string {
	s := text(v)
	switch t {
	case scim.DateTime:
		if at, ok := scim.ParseDateTime(s); ok {
			return at.Format(generalizedTime)
		}
	case scim.Binary:
		if bytes, ok := scim.DecodeBinary(s); ok {
			return string(bytes)
		}
	}
	return s
}

// text is a value as a template sees it.
func text(v any) string {
	switch v := v.(type) {
	case nil:
		return ""
	case string:
		return v
	case bool:
		if v {
			return "TRUE"
		}
		return "FALSE"
	default:
		return fmt.Sprint(v) // json.Number
	}
}

// scimValue reads LDAP text as a value of a SCIM type. Text that does not fit
// the type is shown as it is, so that nothing in the directory gets hidden.
func scimValue(t scim.Type, text string) any {
	switch t {
	case scim.Boolean:
		switch text {
		case "TRUE":
			return true
		case "FALSE":
			return false
		}
	case scim.Integer, scim.Decimal:
		if _, err := strconv.ParseFloat(text, 64); err == nil && json.Valid([]byte(text)) {
			return json.Number(text)
		}
	case scim.DateTime:
		if at, ok := parseGeneralizedTime(text); ok {
			return scim.FormatDateTime(at)
		}
		if at, ok := scim.ParseDateTime(text); ok {
			return scim.FormatDateTime(at)
		}
	case scim.Binary:
		return scim.EncodeBinary([]byte(text))
	}
	return text
}

// generalized are the parts of a generalized time: minutes and seconds may be
// missing, and a fraction is one of the last part that is there.
var generalized = regexp.MustCompile(`^(\d{10})(\d\d)?(\d\d)?(?:[.,](\d+))?(Z|[+-]\d\d(?:\d\d)?)$`)

func parseGeneralizedTime(s string) (time.Time, bool) {
	part := generalized.FindStringSubmatch(s)
	if part == nil {
		return time.Time{}, false
	}
	zone := part[5]
	if len(zone) == 3 {
		zone += "00"
	}
	unit := time.Hour
	for _, given := range part[2:4] {
		if given != "" {
			unit /= 60
		}
	}
	minutes, seconds := part[2]+"00", part[3]+"00"
	at, err := time.Parse("20060102150405Z0700", part[1]+minutes[:2]+seconds[:2]+zone)
	if err != nil {
		return time.Time{}, false
	}
	if part[4] != "" {
		fraction, err := strconv.ParseFloat("0."+part[4], 64)
		if err != nil {
			return time.Time{}, false
		}
		at = at.Add(time.Duration(math.Round(fraction * float64(unit))))
	}
	at = at.UTC()
	return at, at.Year() >= 0 && at.Year() <= 9999
}

// spelled returns wanted values as an entry spells them: a time with another
// offset, or a number with other digits, is the same value, and stays.
func (r *rule) spelled(want, there []string) []string {
	if r.leaf.Type == scim.String || len(there) == 0 {
		return want
	}
	known := make(map[string]string, len(there))
	for _, v := range there {
		if form := ldapText(r.leaf.Type, scimValue(r.leaf.Type, v)); known[form] == "" {
			known[form] = v
		}
	}
	values := make([]string, len(want))
	for i, v := range want {
		values[i] = v
		if as, ok := known[v]; ok {
			values[i] = as
		}
	}
	return values
}

// numeric reports whether values of the type are compared by what they are
// worth, whatever their text in the directory is.
func numeric(t scim.Type) bool {
	switch t {
	case scim.Integer, scim.Decimal, scim.DateTime, scim.Binary:
		return true
	}
	return false
}

// described is a description, or one that says that there is none.
func described(text string) string {
	if text = strings.TrimSpace(text); text != "" {
		return text
	}
	return "Declared in the configuration"
}

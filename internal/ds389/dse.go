package ds389

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// dse is the text of a dse.ldif, in which the server has its configuration, as it is being
// made: lines that are not folded, entry by entry.
type dse struct {
	entries [][]string
	err     error // the first entry that was to be changed and is not there
}

var placeholder = regexp.MustCompile(`%(\w+)%`)

// readTemplates reads the configuration that the server's package brings for a new
// instance, and that of its database, with the values in their places.
func readTemplates(inst installation, values map[string]string) (*dse, error) {
	d := &dse{}
	for _, name := range []string{"template-dse.ldif", "template-suffix-db.ldif"} {
		text, err := os.ReadFile(filepath.Join(inst.share, "data", name))
		if err != nil {
			return nil, err
		}
		d.parse(string(text), values)
	}
	return d, d.err
}

func (d *dse) parse(text string, values map[string]string) {
	text = placeholder.ReplaceAllStringFunc(text, func(found string) string {
		value, ok := values[strings.Trim(found, "%")]
		if !ok && d.err == nil {
			d.err = fmt.Errorf("no value for %s of the server's template", found)
		}
		return value
	})
	text = strings.ReplaceAll(text, "\n ", "")
	var entry []string
	for line := range strings.SplitSeq(text, "\n") {
		switch {
		case strings.HasPrefix(line, "#"):
		case line != "":
			entry = append(entry, line)
		case len(entry) > 0:
			d.entries, entry = append(d.entries, entry), nil
		}
	}
	if len(entry) > 0 {
		d.entries = append(d.entries, entry)
	}
}

// find returns the entry of a name, which differs in spaces and case at most.
func (d *dse) find(dn string) int {
	same := func(a, b string) bool {
		return strings.EqualFold(strings.ReplaceAll(a, ", ", ","), strings.ReplaceAll(b, ", ", ","))
	}
	i := slices.IndexFunc(d.entries, func(e []string) bool {
		return same(strings.TrimSpace(strings.TrimPrefix(e[0], "dn:")), dn)
	})
	if i < 0 && d.err == nil {
		d.err = fmt.Errorf("the server's template has no entry %s", dn)
	}
	return i
}

// set gives an attribute of an entry one value, in place of those that it has.
func (d *dse) set(dn, attr, value string) {
	i := d.find(dn)
	if i < 0 {
		return
	}
	d.entries[i] = slices.DeleteFunc(d.entries[i], func(line string) bool {
		name, _, _ := strings.Cut(line, ":")
		return strings.EqualFold(name, attr)
	})
	d.append(dn, attr, value)
}

// append gives an attribute of an entry a further value.
func (d *dse) append(dn, attr, value string) {
	if i := d.find(dn); i >= 0 {
		d.entries[i] = append(d.entries[i], attr+": "+value)
	}
}

// add adds an entry; its parent is there before it.
func (d *dse) add(dn string, lines ...string) {
	d.entries = append(d.entries, append([]string{"dn: " + dn}, lines...))
}

// plugin adds a plugin, which is on.
func (d *dse) plugin(name, library, function, kind string, more ...string) {
	d.add("cn="+name+",cn=plugins,cn=config", append([]string{
		"objectClass: top", "objectClass: nsSlapdPlugin", "objectClass: extensibleObject", "cn: " + name,
		"nsslapd-pluginPath: " + library, "nsslapd-pluginInitfunc: " + function,
		"nsslapd-pluginType: " + kind, "nsslapd-pluginEnabled: on",
		"nsslapd-pluginId: none", "nsslapd-pluginVersion: none", "nsslapd-pluginVendor: none", "nsslapd-pluginDescription: none",
	}, more...)...)
}

// String is the file. The server reads no further at a blank line too many.
func (d *dse) String() string {
	var b strings.Builder
	for _, entry := range d.entries {
		b.WriteString(strings.Join(entry, "\n") + "\n\n")
	}
	return b.String()
}

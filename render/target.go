package render

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// Version is a device's software version as its vendor writes it: 17.12.1,
// 23.2R1. Only the leading numbers are compared. The zero value means any.
type Version string

func (v Version) numbers() []int {
	var out []int
	for _, part := range strings.FieldsFunc(string(v), func(r rune) bool { return r < '0' || r > '9' }) {
		n, _ := strconv.Atoi(part)
		out = append(out, n)
	}
	return out
}

// before compares versions number by number; 17.9 is before 17.11, and 17 is
// before 17.1.
func (v Version) before(w Version) bool { return slices.Compare(v.numbers(), w.numbers()) < 0 }

// Target is a dialect, perhaps of one version: cisco-ios, cisco-ios@17.9.
type Target struct {
	*Dialect
	Version Version
	removes bool // what is written takes the configuration off

	hierarchical bool // the other form
}

func (t Target) files() []File {
	switch {
	case t.removes:
		return t.Removal
	case t.hierarchical:
		return t.Hierarchical
	}
	return t.Files
}

func (t Target) refusals() []Rule {
	if t.removes {
		return nil
	}
	return t.Refusals
}

// notices are every device's and this one's.
func (t Target) notices() [][]Rule {
	if t.removes {
		return [][]Rule{commonResidue, t.Residue}
	}
	return [][]Rule{commonNotices, t.Notices}
}

func (t Target) String() string {
	if t.Version == "" {
		return t.Name
	}
	return t.Name + "@" + string(t.Version)
}

// ParseTarget reads what --target takes.
func ParseTarget(s string) (Target, error) {
	name, version, versioned := strings.Cut(s, "@")
	i := slices.IndexFunc(dialects, func(d *Dialect) bool { return d.Name == name })
	if i < 0 {
		return Target{}, vpn.Problem{Field: "--target", Value: s, Reason: "no such target", Hint: "want one of " + strings.Join(Names(), ", ")}
	}
	t := Target{Dialect: dialects[i], Version: Version(version)}
	if versioned && (len(t.Version.numbers()) == 0 || version[0] < '0' || version[0] > '9') {
		return Target{}, vpn.Problem{Field: "--target", Value: s, Reason: "not a version behind the @", Hint: "write it as in " + name + "@17.9"}
	}
	if versioned && t.Version.before(t.Oldest) {
		return Target{}, vpn.Problem{Field: "--target", Value: s, Reason: fmt.Sprintf("the words are known for %s from %s on; %s", t.Title, t.Oldest, t.Older), Hint: "upgrade the device, or name it without a version and check each line"}
	}
	return t, nil
}

// Names lists the targets in help order.
func Names() []string {
	var out []string
	for _, d := range dialects {
		out = append(out, d.Name)
	}
	return out
}

// holds tells whether a range of versions certainly has the target's, and
// whether it may: a target without a version is the newest where that may be
// assumed, else any from Least on.
func (t Target) holds(since, until Version) (certain, possible bool) {
	version := cmp.Or(t.Version, t.Newest)
	if version == "" {
		return since == "" && until == "", until == "" || t.Least.before(until)
	}
	in := (since == "" || !version.before(since)) && (until == "" || version.before(until))
	return in, in
}

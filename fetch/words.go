package fetch

import (
	"maps"
	"slices"
	"strings"

	"peerconf/vpn"
)

// Alibaba's words. The API has spelled them in several letter cases.
var (
	versions    = words(vpn.IKEv1, vpn.IKEv2)
	modes       = words(vpn.Main, vpn.Aggressive)
	encryptions = words(vpn.Encryptions...)
	integrities = words(vpn.Integrities...)
	groups      = words(vpn.Groups...)
	pfsGroups   = words(append([]vpn.Group{vpn.NoGroup}, vpn.Groups...)...)
)

func words[T interface{ String() string }](all ...T) map[string]T {
	m := make(map[string]T, len(all))
	for _, v := range all {
		m[v.String()] = v
	}
	return m
}

// lookup settles a word; absent, it is Alibaba's default.
func lookup[T any](s *settler, name string, said text, known map[string]T, absent T) T {
	if said == "" {
		return absent
	}
	v, ok := known[strings.ToLower(string(said))]
	if !ok {
		s.problem(name, string(said), "not a word of Alibaba's", "want one of "+strings.Join(slices.Sorted(maps.Keys(known)), ", "))
	}
	return v
}

// setting is a word of a reply, and where its struct has it.
type setting[T any] struct {
	name string
	of   func(*T) *text
}

var ikeSettings = []setting[wireIKE]{
	{"IkeVersion", func(w *wireIKE) *text { return &w.IkeVersion }},
	{"IkeMode", func(w *wireIKE) *text { return &w.IkeMode }},
	{"IkeEncAlg", func(w *wireIKE) *text { return &w.IkeEncAlg }},
	{"IkeAuthAlg", func(w *wireIKE) *text { return &w.IkeAuthAlg }},
	{"IkePfs", func(w *wireIKE) *text { return &w.IkePfs }},
	{"IkeLifetime", func(w *wireIKE) *text { return &w.IkeLifetime }},
	{"Psk", func(w *wireIKE) *text { return &w.Psk }},
}

var ipsecSettings = []setting[wireIPsec]{
	{"IpsecEncAlg", func(w *wireIPsec) *text { return &w.IpsecEncAlg }},
	{"IpsecAuthAlg", func(w *wireIPsec) *text { return &w.IpsecAuthAlg }},
	{"IpsecPfs", func(w *wireIPsec) *text { return &w.IpsecPfs }},
	{"IpsecLifetime", func(w *wireIPsec) *text { return &w.IpsecLifetime }},
}

// compare calls note for each setting of the connection with the way to the
// tunnels' setting of the same name.
func compare[T any](settings []setting[T], top *T, of func(tunnelStatement) *T, note func(string, text, func(tunnelStatement) text)) {
	if top == nil {
		return
	}
	for _, set := range settings {
		note(set.name, *set.of(top), func(t tunnelStatement) text {
			if of(t) == nil {
				return ""
			}
			return *set.of(of(t))
		})
	}
}

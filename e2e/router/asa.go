package router

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
)

// An asa is what a Cisco ASA was told, by the ASA command reference and the
// VPN CLI configuration guide. Defaults that differ between releases are not
// assumed: what has one must be said.
type asa struct {
	policies, ikev2Policies map[int]*asaPolicy
	enabled                 map[string]bool // version and interface
	transforms              objects[transformSet]
	proposals               objects[suite]
	groupPolicies           objects[asaGroupPolicy]
	groups                  objects[asaTunnelGroup]
	ipsecProfiles           objects[asaSet]
	lists                   objects[[]Selector]
	maps                    objects[map[int]*asaSet]
	applied                 map[string]string // the interface of a crypto map
	interfaces              objects[asaInterface]
}

type asaPolicy struct {
	suite
	preShared bool
	lifetime  int
}

type asaGroupPolicy struct {
	protocols []string
}

type asaTunnelGroup struct {
	noDPD                bool
	policy               string
	ikev1, local, remote []byte
}

// asaSet is a crypto ipsec profile or an entry of a crypto map.
type asaSet struct {
	lifetime, kilobytes          int
	transforms, proposals, peers []string
	pfs, access, aggressiveGroup string
	noNATT                       bool
}

type asaInterface struct {
	nameif, source, destination, profile string
	ip, ipsec                            bool
}

var (
	asaEncryption = map[string]string{"des": "des", "3des": "3des", "aes": "aes128", "aes-192": "aes192", "aes-256": "aes256"}
	asaHash       = map[string]string{"md5": "md5", "sha": "sha1"}
	asaIntegrity  = map[string]string{"md5": "md5", "sha": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}

	asaESPEncryption = map[string]string{"esp-des": "des", "esp-3des": "3des", "esp-aes": "aes128", "esp-aes-192": "aes192", "esp-aes-256": "aes256"}
	asaESPHash       = map[string]string{"esp-md5-hmac": "md5", "esp-sha-hmac": "sha1"}
	asaESPIntegrity  = map[string]string{"md5": "md5", "sha-1": "sha1", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
)

func readASA(text string) ([]Tunnel, error) {
	statements, err := ciscoStatements(text)
	if err != nil {
		return nil, err
	}
	d := &asa{
		policies: map[int]*asaPolicy{}, ikev2Policies: map[int]*asaPolicy{}, enabled: map[string]bool{}, applied: map[string]string{},
		transforms:    objects[transformSet]{kind: "crypto ipsec ikev1 transform-set"},
		proposals:     objects[suite]{kind: "crypto ipsec ikev2 ipsec-proposal"},
		groupPolicies: objects[asaGroupPolicy]{kind: "group-policy"},
		groups:        objects[asaTunnelGroup]{kind: "tunnel-group"},
		ipsecProfiles: objects[asaSet]{kind: "crypto ipsec profile"},
		lists:         objects[[]Selector]{kind: "access-list"},
		maps:          objects[map[int]*asaSet]{kind: "crypto map"},
		interfaces:    objects[asaInterface]{kind: "interface"},
	}
	for i, s := range statements {
		if _, ok := (rule{words: "crypto map * * ..."}).match(s.words); ok && s.words[3] != "interface" {
			statements[i] = s.split(4)
		}
	}
	if err := apply(statements, d.rules()); err != nil {
		return nil, err
	}
	return d.tunnels()
}

func (d *asa) rules() []rule {
	priority := numbered(1, 65535)
	enable := func(version string) func([]string) error {
		return func(a []string) error { d.enabled[version+a[0]] = true; return nil }
	}
	// Attributes are of what exists.
	policed := func(a []string) error { return d.groupPolicies.exists(a[0]) }
	grouped := func(a []string) error { return d.groups.exists(a[0]) }
	return []rule{
		{words: "crypto ikev1 policy *", mean: priority, under: d.policy},
		{words: "crypto ikev2 policy *", mean: priority, under: d.ikev2Policy},
		{words: "crypto ikev1 enable *", mean: enable("ikev1 ")},
		{words: "crypto ikev2 enable *", mean: enable("ikev2 ")},
		{words: "crypto ipsec ikev1 transform-set * * *", mean: d.transform},
		{words: "crypto ipsec ikev2 ipsec-proposal *", under: d.proposal},
		{words: "group-policy * internal", mean: func(a []string) error {
			d.groupPolicies.named(a[0], asaGroupPolicy{})
			return nil
		}},
		{words: "group-policy * attributes", mean: policed, under: func(a []string) []rule {
			p := d.groupPolicies.named(a[0], asaGroupPolicy{})
			return []rule{
				{words: "vpn-tunnel-protocol ...", mean: func(a []string) error { p.protocols = a; return nil }},
				{words: "vpn-idle-timeout *"},
				{words: "vpn-session-timeout *"},
			}
		}},
		{words: "tunnel-group * type ipsec-l2l", mean: func(a []string) error {
			d.groups.named(a[0], asaTunnelGroup{})
			return nil
		}},
		{words: "tunnel-group * general-attributes", mean: grouped, under: d.general},
		{words: "tunnel-group * ipsec-attributes", mean: grouped, under: d.ipsecAttributes},
		{words: "crypto ipsec profile *", under: func(a []string) []rule { return d.ipsecProfiles.named(a[0], asaUnset).rules() }},
		{words: "crypto map * interface *", mean: func(a []string) error { d.applied[a[0]] = a[1]; return nil }},
		{words: "crypto map * *", mean: priority, under: d.entry},
		{words: "access-list * extended permit ip * * * *", mean: d.list},
		{words: "prefix-list ..."},
		{words: "route-map ...", under: beside},
		{words: "router bgp *", under: beside},
		{words: "interface *", under: d.iface},
		{words: "object-group network *", under: func([]string) []rule { return []rule{{words: "network-object * *"}} }},
		{words: "nat ..."},
		{words: "route ..."},
		{words: "sysopt connection tcpmss *"},
	}
}

func (d *asa) policy(a []string) []rule {
	p := at(d.policies, a[0], asaPolicy{lifetime: 86400})
	return []rule{
		{words: "authentication pre-share", mean: set(&p.preShared, true)},
		{words: "encryption *", mean: words(&p.encryption, asaEncryption)},
		{words: "hash *", mean: words(&p.integrity, asaHash)},
		{words: "group *", mean: words(&p.groups, modp)},
		{words: "lifetime *", mean: number(&p.lifetime, 120, 2147483647)},
	}
}

// ikev2Policy has HMAC-SHA-1 as its PRF unless another is said.
func (d *asa) ikev2Policy(a []string) []rule {
	p := at(d.ikev2Policies, a[0], asaPolicy{suite: suite{prf: []string{"sha1"}}, lifetime: 86400})
	return []rule{
		{words: "encryption ...", mean: words(&p.encryption, asaEncryption)},
		{words: "integrity ...", mean: words(&p.integrity, asaIntegrity)},
		{words: "prf ...", mean: words(&p.prf, asaIntegrity)},
		{words: "group ...", mean: words(&p.groups, modp)},
		{words: "lifetime seconds *", mean: number(&p.lifetime, 120, 2147483647)},
	}
}

func (d *asa) transform(a []string) (err error) {
	t := transformSet{}
	if t.encryption, err = lookup(asaESPEncryption, a[1]); err == nil {
		t.integrity, err = lookup(asaESPHash, a[2])
	}
	*d.transforms.named(a[0], t) = t
	return err
}

func (d *asa) proposal(a []string) []rule {
	p := d.proposals.named(a[0], suite{})
	return []rule{
		{words: "protocol esp encryption ...", mean: words(&p.encryption, asaEncryption)},
		{words: "protocol esp integrity ...", mean: words(&p.integrity, asaESPIntegrity)},
	}
}

func (d *asa) general(a []string) []rule {
	g := d.groups.named(a[0], asaTunnelGroup{})
	return []rule{{words: "default-group-policy *", mean: text(&g.policy)}}
}

// ipsecAttributes has keepalives on for LAN to LAN unless disabled.
func (d *asa) ipsecAttributes(a []string) []rule {
	g := d.groups.named(a[0], asaTunnelGroup{})
	return []rule{
		{words: "ikev1 pre-shared-key *", mean: secret(&g.ikev1)},
		{words: "ikev2 remote-authentication pre-shared-key *", mean: secret(&g.remote)},
		{words: "ikev2 local-authentication pre-shared-key *", mean: secret(&g.local)},
		{words: "isakmp keepalive disable", mean: set(&g.noDPD, true)},
		{words: "isakmp keepalive threshold * retry *", mean: func(a []string) error {
			g.noDPD = false
			if _, err := within(a[0], 10, 3600); err != nil {
				return err
			}
			_, err := within(a[1], 2, 10)
			return err
		}},
	}
}

// asaUnset has the defaults of "crypto ipsec security-association lifetime".
var asaUnset = asaSet{lifetime: 28800, kilobytes: 4608000}

func (s *asaSet) rules() []rule {
	return []rule{
		{words: "set ikev1 transform-set ...", mean: func(a []string) error { s.transforms = a; return nil }},
		{words: "set ikev2 ipsec-proposal ...", mean: func(a []string) error { s.proposals = a; return nil }},
		{words: "set pfs *", mean: group(&s.pfs)},
		{words: "set security-association lifetime seconds *", mean: number(&s.lifetime, 120, 214783647)},
		{words: "set security-association lifetime kilobytes unlimited", mean: set(&s.kilobytes, 0)},
		{words: "set security-association lifetime kilobytes *", mean: number(&s.kilobytes, 10, 2147483647)},
	}
}

// entry reads a statement of a crypto map, each a line of its own.
func (d *asa) entry(a []string) []rule {
	s := at(*d.maps.named(a[0], map[int]*asaSet{}), a[1], asaUnset)
	return append(s.rules(),
		rule{words: "match address *", mean: text(&s.access)},
		rule{words: "set peer ...", mean: func(a []string) error { s.peers = a; return nil }},
		rule{words: "set ikev1 phase1-mode aggressive *", mean: group(&s.aggressiveGroup)},
		rule{words: "set connection-type originate-only"},
		rule{words: "set nat-t-disable", mean: set(&s.noNATT, true)},
	)
}

// list reads a line of an access list, whose masks are subnet masks.
func (d *asa) list(a []string) error {
	local, err := prefix(a[1], a[2])
	if err != nil {
		return err
	}
	remote, err := prefix(a[3], a[4])
	l := d.lists.named(a[0], nil)
	*l = append(*l, Selector{local, remote})
	return err
}

func (d *asa) iface(a []string) []rule {
	i := d.interfaces.named(a[0], asaInterface{})
	return []rule{
		{words: "nameif *", mean: text(&i.nameif)},
		{words: "ip address * *", mean: func(a []string) error {
			i.ip = true
			_, err := prefix(a[0], a[1])
			return err
		}},
		{words: "tunnel source interface *", mean: text(&i.source)},
		{words: "tunnel destination *", mean: address(&i.destination)},
		{words: "tunnel mode ipsec ipv4", mean: set(&i.ipsec, true)},
		{words: "tunnel protection ipsec profile *", mean: text(&i.profile)},
		{words: "no shutdown"},
	}
}

func (d *asa) tunnels() ([]Tunnel, error) {
	var tunnels []Tunnel
	for _, n := range d.interfaces.order {
		i := d.interfaces.all[n]
		if i.nameif == "" || !i.ip || !i.ipsec || i.source == "" || i.destination == "" {
			return nil, fmt.Errorf("interface %s lacks a name, an address, a source, a destination or its mode", n)
		}
		s, err := d.ipsecProfiles.refer(i.profile)
		if err != nil {
			return nil, err
		}
		t, err := d.tunnel(s, i.source, i.destination)
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", n, err)
		}
		t.Name, t.Selectors, t.RouteBased, t.Initiates = name(n), anywhere(), true, true
		tunnels = append(tunnels, t)
	}
	for n, iface := range d.applied {
		entries, err := d.maps.refer(n)
		if err != nil {
			return nil, err
		}
		found, err := d.entries(n, iface, *entries)
		if err != nil {
			return nil, fmt.Errorf("crypto map %s %w", n, err)
		}
		tunnels = append(tunnels, found...)
	}
	return tunnels, first(d.maps.unused, d.ipsecProfiles.unused, d.lists.unused, d.transforms.unused, d.proposals.unused,
		d.groups.unused, d.groupPolicies.unused)
}

// entries are the peers of the entries of a crypto map; each line of the
// access list is a pair of SAs of its own.
func (d *asa) entries(n, iface string, entries map[int]*asaSet) ([]Tunnel, error) {
	var tunnels []Tunnel
	for _, sequence := range sorted(entries) {
		s := entries[sequence]
		access, err := d.lists.refer(s.access)
		if err == nil && len(s.peers) == 0 {
			err = fmt.Errorf("no peer is set")
		}
		if err != nil {
			return nil, fmt.Errorf("%d: %w", sequence, err)
		}
		for _, peer := range s.peers {
			t, err := d.tunnel(s, iface, peer)
			if err != nil {
				return nil, fmt.Errorf("%d: %w", sequence, err)
			}
			t.Name, t.Selectors = name(n, strconv.Itoa(sequence), peer), *access
			tunnels = append(tunnels, t)
		}
	}
	return tunnels, nil
}

// tunnel is what an entry or a profile negotiates with a peer. The tunnel
// group is that of the peer's address; "crypto isakmp identity auto" sends the
// interface's own address with a pre-shared key.
func (d *asa) tunnel(s *asaSet, iface, peer string) (Tunnel, error) {
	t := Tunnel{RemoteAddress: peer, RemoteIDs: []string{peer}, ESPLifetime: s.lifetime, ESPKilobytes: s.kilobytes, NATT: !s.noNATT}
	if _, err := netip.ParseAddr(peer); err != nil {
		return t, err
	}
	version, read, err := "ikev1", d.ikev1, error(nil)
	switch {
	case len(s.transforms) > 0 && len(s.proposals) > 0 || len(s.transforms)+len(s.proposals) == 0:
		return t, fmt.Errorf("not one of an ikev1 transform-set and an ikev2 ipsec-proposal")
	case len(s.proposals) > 0:
		version, read = "ikev2", d.ikev2
	}
	if !d.enabled[version+" "+iface] {
		return t, fmt.Errorf("crypto %s is not enabled on %s", version, iface)
	}
	g, err := d.groups.refer(peer)
	if err != nil {
		return t, err
	}
	if g.policy != "" {
		p, err := d.groupPolicies.refer(g.policy)
		if err != nil {
			return t, err
		}
		if p.protocols != nil && !slices.Contains(p.protocols, version) {
			return t, fmt.Errorf("group-policy %s does not allow %s", g.policy, version)
		}
	}
	t.DPD = !g.noDPD
	return read(t, s, g)
}

func (d *asa) ikev1(t Tunnel, s *asaSet, g *asaTunnelGroup) (Tunnel, error) {
	var ike, esp offers
	for _, n := range sorted(d.policies) {
		p := d.policies[n]
		if err := p.complete(); err != nil || !p.preShared {
			return t, fmt.Errorf("crypto ikev1 policy %d is incomplete", n)
		}
		if s.aggressiveGroup != "" && s.aggressiveGroup != p.groups[0] {
			continue
		}
		if t.IKELifetime != 0 && t.IKELifetime != p.lifetime {
			return t, fmt.Errorf("crypto ikev1 policies of different lifetimes")
		}
		ike.add(p.parts()...)
		t.IKELifetime = p.lifetime
	}
	for _, n := range s.transforms {
		transform, err := d.transforms.refer(n)
		if err != nil {
			return t, err
		}
		esp.add(transform.encryption, transform.integrity, s.pfs)
	}
	if len(ike) == 0 || len(g.ikev1) == 0 {
		return t, fmt.Errorf("no crypto ikev1 policy or no ikev1 pre-shared-key")
	}
	t.IKE, t.Aggressive, t.PSK = 1, s.aggressiveGroup != "", g.ikev1
	t.IKEProposal, t.ESPProposal = ike.String(), esp.String()
	return t, nil
}

func (d *asa) ikev2(t Tunnel, s *asaSet, g *asaTunnelGroup) (Tunnel, error) {
	if s.aggressiveGroup != "" {
		return t, fmt.Errorf("aggressive mode is of ikev1")
	}
	var ike, esp offers
	for _, n := range sorted(d.ikev2Policies) {
		p := d.ikev2Policies[n]
		if err := p.complete(); err != nil {
			return t, fmt.Errorf("crypto ikev2 policy %d: %w", n, err)
		}
		if t.IKELifetime == 0 {
			t.IKELifetime = p.lifetime
		}
		ike.add(p.parts()...)
	}
	for _, n := range s.proposals {
		p, err := d.proposals.refer(n)
		if err != nil {
			return t, err
		}
		if len(p.encryption) == 0 || len(p.integrity) == 0 {
			return t, fmt.Errorf("crypto ipsec ikev2 ipsec-proposal %s is incomplete", n)
		}
		esp.add(append(slices.Concat(p.encryption, p.integrity), s.pfs)...)
	}
	if len(ike) == 0 || len(g.local) == 0 || string(g.local) != string(g.remote) {
		return t, fmt.Errorf("no crypto ikev2 policy, or not one pre-shared-key for both sides")
	}
	t.IKE, t.PSK = 2, g.local
	t.IKEProposal, t.ESPProposal = ike.String(), esp.String()
	return t, nil
}

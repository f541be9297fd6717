package router

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
)

// An ios is what a Cisco router was told. Words and ranges are those of the
// Cisco-IOS-XE-crypto YANG model, defaults and what absence means those of the
// Cisco IOS Security Command Reference and the FlexVPN and IKEv2 guide.
type ios struct {
	policies      map[int]*iosPolicy
	keyrings      objects[map[string][]byte] // by address
	profiles      objects[iosProfile]
	proposals     objects[suite]
	ikev2Policies objects[[]string]
	ikev2Keyrings objects[objects[iosPeer]]
	ikev2Profiles objects[iosProfile]
	transforms    objects[transformSet]
	ipsecProfiles objects[iosSet]
	lists         objects[[]Selector]
	maps          objects[map[int]*iosSet]
	interfaces    objects[iosInterface]
}

type iosPolicy struct {
	encryption, hash, group, authentication string
	lifetime                                int
}

// iosProfile is a crypto isakmp profile or a crypto ikev2 profile.
type iosProfile struct {
	keyring, identity string
	accepts           []string
	dpd, aggressive   bool
	ourKey, theirKey  bool
	lifetime          int
}

type iosPeer struct {
	address string
	psk     []byte
}

// iosSet is a crypto ipsec profile or an entry of a crypto map.
type iosSet struct {
	lifetime, kilobytes                int
	transforms, peers                  []string
	pfs, profile, ikev2Profile, access string
}

type iosInterface struct {
	address, unnumbered, source, destination, access, profile, cryptomap string
	ipsec                                                                bool
}

// The router's words differ between the phases and between IKE versions.
var (
	iosEncryption = map[string]string{"des": "des", "3des": "3des", "aes": "aes128", "aes 128": "aes128", "aes 192": "aes192", "aes 256": "aes256"}
	iosHash       = map[string]string{"md5": "md5", "sha": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}

	iosIKEv2Encryption = map[string]string{"des": "des", "3des": "3des", "aes-cbc-128": "aes128", "aes-cbc-192": "aes192", "aes-cbc-256": "aes256"}
	iosIKEv2Integrity  = map[string]string{"md5": "md5", "sha1": "sha1", "sha256": "sha256", "sha384": "sha384", "sha512": "sha512"}

	iosESPEncryption = map[string]string{
		"esp-des": "des", "esp-3des": "3des",
		"esp-aes": "aes128", "esp-aes 128": "aes128", "esp-aes 192": "aes192", "esp-aes 256": "aes256",
	}
	iosESPIntegrity = map[string]string{
		"esp-md5-hmac": "md5", "esp-sha-hmac": "sha1",
		"esp-sha256-hmac": "sha256", "esp-sha384-hmac": "sha384", "esp-sha512-hmac": "sha512",
	}
)

func readIOS(text string) ([]Tunnel, error) {
	statements, err := ciscoStatements(text)
	if err != nil {
		return nil, err
	}
	d := &ios{
		policies:      map[int]*iosPolicy{},
		keyrings:      objects[map[string][]byte]{kind: "crypto keyring"},
		profiles:      objects[iosProfile]{kind: "crypto isakmp profile"},
		proposals:     objects[suite]{kind: "crypto ikev2 proposal"},
		ikev2Policies: objects[[]string]{kind: "crypto ikev2 policy"},
		ikev2Keyrings: objects[objects[iosPeer]]{kind: "crypto ikev2 keyring"},
		ikev2Profiles: objects[iosProfile]{kind: "crypto ikev2 profile"},
		transforms:    objects[transformSet]{kind: "crypto ipsec transform-set"},
		ipsecProfiles: objects[iosSet]{kind: "crypto ipsec profile"},
		lists:         objects[[]Selector]{kind: "ip access-list extended"},
		maps:          objects[map[int]*iosSet]{kind: "crypto map"},
		interfaces:    objects[iosInterface]{kind: "interface"},
	}
	if err := apply(statements, d.rules()); err != nil {
		return nil, err
	}
	return d.tunnels()
}

func (d *ios) rules() []rule {
	return []rule{
		{words: "crypto isakmp policy *", mean: numbered(1, 10000), under: d.policy},
		{words: "crypto keyring *", under: d.keyring},
		{words: "crypto isakmp profile *", under: d.profile},
		{words: "crypto ikev2 proposal *", under: d.proposal},
		{words: "crypto ikev2 policy *", under: d.ikev2Policy},
		{words: "crypto ikev2 keyring *", under: d.ikev2Keyring},
		{words: "crypto ikev2 profile *", under: d.ikev2Profile},
		{words: "crypto ipsec transform-set * ...", mean: d.transform, under: func(a []string) []rule {
			t := d.transforms.named(a[0], transformSet{})
			return []rule{
				{words: "mode tunnel", mean: set(&t.transport, false)},
				{words: "mode transport", mean: set(&t.transport, true)},
			}
		}},
		{words: "crypto ipsec profile *", under: func(a []string) []rule { return d.ipsecProfiles.named(a[0], iosUnset).rules() }},
		{words: "crypto map * * ipsec-isakmp", mean: numbered(1, 65535), under: d.entry},
		{words: "ip access-list extended *", under: d.list},
		{words: "interface *", mean: port(new(string)), under: d.iface},
		{words: "ip route ..."},
		{words: "ip sla ...", under: beside},
		{words: "track ...", under: beside},
		{words: "ip prefix-list ..."},
		{words: "route-map ...", under: beside},
		{words: "router bgp *", under: beside},
	}
}

// policy has the defaults of "crypto isakmp policy": DES, SHA-1, RSA
// signatures, group 1, a day.
func (d *ios) policy(a []string) []rule {
	p := at(d.policies, a[0], iosPolicy{"des", "sha1", "modp768", "rsa-sig", 86400})
	encryption := func(a []string) (err error) {
		p.encryption, err = lookup(iosEncryption, strings.Join(a, " "))
		return err
	}
	return []rule{
		{words: "encryption ...", mean: encryption},
		{words: "hash *", mean: word(&p.hash, iosHash)},
		{words: "authentication pre-share", mean: set(&p.authentication, "pre-share")},
		{words: "group *", mean: word(&p.group, modp)},
		{words: "lifetime *", mean: number(&p.lifetime, 60, 86400)},
	}
}

func (d *ios) keyring(a []string) []rule {
	ring := d.keyrings.named(a[0], map[string][]byte{})
	return []rule{{words: "pre-shared-key address * key 0 *", mean: func(a []string) error {
		if (*ring)[a[0]] != nil {
			return fmt.Errorf("a second key for %s", a[0])
		}
		(*ring)[a[0]] = []byte(a[1])
		return nil
	}}}
}

func (d *ios) profile(a []string) []rule {
	p := d.profiles.named(a[0], iosProfile{})
	return []rule{
		{words: "keyring *", mean: text(&p.keyring)},
		{words: "self-identity address", mean: set(&p.identity, "")},
		{words: "self-identity fqdn *", mean: p.sends("fqdn")},
		{words: "self-identity user-fqdn *", mean: p.sends("email")},
		{words: "match identity address * *", mean: p.matchesNetwork},
		{words: "match identity host *", mean: p.matches("fqdn")},
		{words: "match identity user *", mean: p.matches("email")},
		{words: "keepalive * retry *", mean: p.deadPeer},
		{words: "initiate mode aggressive", mean: set(&p.aggressive, true)},
	}
}

func (p *iosProfile) sends(kind string) func([]string) error {
	return func(a []string) error { p.identity = identity(kind, a[0]); return nil }
}

func (p *iosProfile) matches(kind string) func([]string) error {
	return func(a []string) error { p.accepts = append(p.accepts, identity(kind, a[0])); return nil }
}

func (p *iosProfile) matchesNetwork(a []string) error {
	id, err := accepted(a[0], a[1])
	p.accepts = append(p.accepts, id)
	return err
}

func (p *iosProfile) matchesIPv6(a []string) error {
	network, err := netip.ParsePrefix(a[0])
	if err != nil || !network.Addr().Is6() || !network.IsSingleIP() {
		return fmt.Errorf("%s is not one IPv6 address", a[0])
	}
	p.accepts = append(p.accepts, network.Addr().String())
	return nil
}

func (p *iosProfile) deadPeer(a []string) (err error) {
	p.dpd = true
	if _, err = within(a[0], 10, 3600); err == nil {
		_, err = within(a[1], 2, 60)
	}
	return err
}

func (d *ios) proposal(a []string) []rule {
	p := d.proposals.named(a[0], suite{})
	return []rule{
		{words: "encryption ...", mean: words(&p.encryption, iosIKEv2Encryption)},
		{words: "integrity ...", mean: words(&p.integrity, iosIKEv2Integrity)},
		{words: "group ...", mean: words(&p.groups, modp)},
	}
}

func (d *ios) ikev2Policy(a []string) []rule {
	p := d.ikev2Policies.named(a[0], nil)
	return []rule{{words: "proposal *", mean: func(a []string) error { *p = append(*p, a[0]); return nil }}}
}

// ikev2Keyring takes one key for both sides, in plain text or hexadecimal.
func (d *ios) ikev2Keyring(a []string) []rule {
	ring := d.ikev2Keyrings.named(a[0], objects[iosPeer]{})
	return []rule{{words: "peer *", under: func(a []string) []rule {
		p := ring.named(a[0], iosPeer{})
		return []rule{
			{words: "address *", mean: address(&p.address)},
			{words: "pre-shared-key 0 *", mean: secret(&p.psk)},
			{words: "pre-shared-key hex *", mean: hexSecret(&p.psk)},
		}
	}}}
}

func (d *ios) ikev2Profile(a []string) []rule {
	p := d.ikev2Profiles.named(a[0], iosProfile{lifetime: 86400})
	rules := []rule{
		{words: "match identity remote address * *", mean: p.matchesNetwork},
		{words: "match identity remote address *", mean: p.matchesIPv6},
		{words: "identity local address *", mean: address(&p.identity)},
		{words: "authentication remote pre-share", mean: set(&p.theirKey, true)},
		{words: "authentication local pre-share", mean: set(&p.ourKey, true)},
		{words: "keyring local *", mean: text(&p.keyring)},
		{words: "lifetime *", mean: number(&p.lifetime, 120, 86400)},
		{words: "dpd * * periodic", mean: p.deadPeer},
		{words: "dpd * * on-demand", mean: p.deadPeer},
	}
	for _, kind := range []string{"fqdn", "email", "key-id"} {
		rules = append(rules,
			rule{words: "match identity remote " + kind + " *", mean: p.matches(kind)},
			rule{words: "identity local " + kind + " *", mean: p.sends(kind)})
	}
	return rules
}

// transform reads "esp-aes 256 esp-sha-hmac": a number belongs to the word
// before it.
func (d *ios) transform(a []string) error {
	t := transformSet{}
	for i := 1; i < len(a); i++ {
		w := a[i]
		if i+1 < len(a) && !strings.HasPrefix(a[i+1], "esp-") {
			i++
			w += " " + a[i]
		}
		encryption, integrity := iosESPEncryption[w], iosESPIntegrity[w]
		switch {
		case encryption != "" && t.encryption == "":
			t.encryption = encryption
		case integrity != "" && t.integrity == "":
			t.integrity = integrity
		default:
			return fmt.Errorf("%s is not a transform here", w)
		}
	}
	*d.transforms.named(a[0], t) = t
	return nil
}

// iosUnset has the defaults of "crypto ipsec security-association lifetime".
var iosUnset = iosSet{lifetime: 3600, kilobytes: 4608000}

func (s *iosSet) rules() []rule {
	return []rule{
		{words: "set security-association lifetime seconds *", mean: number(&s.lifetime, 120, 2592000)},
		{words: "set security-association lifetime kilobytes disable", mean: set(&s.kilobytes, 0)},
		{words: "set security-association lifetime kilobytes *", mean: number(&s.kilobytes, 2560, 4294967295)},
		{words: "set transform-set ...", mean: func(a []string) error { s.transforms = a; return nil }},
		{words: "set pfs *", mean: group(&s.pfs)},
		{words: "set isakmp-profile *", mean: text(&s.profile)},
		{words: "set ikev2-profile *", mean: text(&s.ikev2Profile)},
	}
}

func (d *ios) entry(a []string) []rule {
	s := at(*d.maps.named(a[0], map[int]*iosSet{}), a[1], iosUnset)
	return append(s.rules(),
		rule{words: "set peer *", mean: func(a []string) error { return s.peer(len(s.peers), a[0]) }},
		rule{words: "set peer * default", mean: func(a []string) error { return s.peer(0, a[0]) }},
		rule{words: "match address *", mean: text(&s.access)},
	)
}

// peer adds a peer; the default one is tried first.
func (s *iosSet) peer(at int, a string) error {
	s.peers = slices.Insert(s.peers, at, a)
	_, err := netip.ParseAddr(a)
	return err
}

// list reads an access list: a wildcard mask has a one where any bit will do.
func (d *ios) list(a []string) []rule {
	l := d.lists.named(a[0], nil)
	return []rule{{words: "permit ip * * * *", mean: func(a []string) error {
		local, err := prefix(a[0], inverse(a[1]))
		if err != nil {
			return err
		}
		remote, err := prefix(a[2], inverse(a[3]))
		*l = append(*l, Selector{local, remote})
		return err
	}}}
}

// inverse is the subnet mask of a wildcard mask.
func inverse(wildcard string) string {
	w, err := netip.ParseAddr(wildcard)
	if err != nil || !w.Is4() {
		return wildcard
	}
	mask := w.As4()
	for i := range mask {
		mask[i] = ^mask[i]
	}
	return netip.AddrFrom4(mask).String()
}

func (d *ios) iface(a []string) []rule {
	i := d.interfaces.named(a[0], iosInterface{})
	rules := []rule{
		{words: "ip address * *", mean: func(a []string) error {
			i.address = a[0]
			_, err := prefix(a[0], a[1])
			return err
		}},
		{words: "ip unnumbered *", mean: port(&i.unnumbered)},
		{words: "ip mtu *"},
		{words: "ip tcp adjust-mss *"},
	}
	if !strings.HasPrefix(a[0], "Tunnel") {
		return append(rules, rule{words: "crypto map *", mean: text(&i.cryptomap)})
	}
	return append(rules,
		rule{words: "tunnel source *", mean: func(a []string) error {
			if err := port(&i.source)(a); err != nil {
				return address(&i.source)(a)
			}
			return nil
		}},
		rule{words: "tunnel destination *", mean: address(&i.destination)},
		rule{words: "tunnel mode ipsec ipv4", mean: set(&i.ipsec, true)},
		rule{words: "tunnel protection ipsec policy ipv4 *", mean: text(&i.access)},
		rule{words: "tunnel protection ipsec profile *", mean: text(&i.profile)},
	)
}

func (d *ios) tunnels() ([]Tunnel, error) {
	var tunnels []Tunnel
	for _, n := range d.interfaces.order {
		i := d.interfaces.all[n]
		read := d.entries
		if strings.HasPrefix(n, "Tunnel") {
			read = d.static
		} else if i.cryptomap == "" {
			continue
		}
		found, err := read(n, i)
		if err != nil {
			return nil, fmt.Errorf("interface %s: %w", n, err)
		}
		tunnels = append(tunnels, found...)
	}
	return tunnels, first(d.maps.unused, d.ipsecProfiles.unused, d.lists.unused, d.transforms.unused, d.profiles.unused,
		d.keyrings.unused, d.ikev2Profiles.unused, d.ikev2Keyrings.unused, d.proposals.unused)
}

// static is a static virtual tunnel interface: it proposes any to any, or each
// line of its access list, and comes up by itself. Without its mode it would be
// GRE.
func (d *ios) static(n string, i *iosInterface) ([]Tunnel, error) {
	for _, missing := range []struct {
		what string
		is   bool
	}{
		{"ip address or ip unnumbered", i.address+i.unnumbered == ""},
		{"tunnel source", i.source == ""},
		{"tunnel destination", i.destination == ""},
		{"tunnel mode ipsec ipv4", !i.ipsec},
	} {
		if missing.is {
			return nil, fmt.Errorf("no %s", missing.what)
		}
	}
	s, err := d.ipsecProfiles.refer(i.profile)
	if err != nil {
		return nil, err
	}
	t, err := d.tunnel(s, i.destination)
	t.Name, t.LocalAddress, t.Selectors = name(n), d.addressOf(i.source), anywhere()
	t.RouteBased, t.Initiates = true, true
	if err == nil && i.access != "" {
		var access *[]Selector
		if access, err = d.lists.refer(i.access); err == nil {
			t.Selectors = *access
		}
	}
	return []Tunnel{t}, err
}

func (d *ios) addressOf(source string) string {
	if a, err := netip.ParseAddr(source); err == nil {
		return a.String()
	}
	if i := d.interfaces.all[source]; i != nil {
		return i.address
	}
	return ""
}

// entries are the peers of the entries of a crypto map, the first the one
// tried first; each line of the access list is a pair of SAs of its own.
func (d *ios) entries(n string, i *iosInterface) ([]Tunnel, error) {
	entries, err := d.maps.refer(i.cryptomap)
	if err != nil {
		return nil, err
	}
	var tunnels []Tunnel
	for _, sequence := range sorted(*entries) {
		s := (*entries)[sequence]
		access, err := d.lists.refer(s.access)
		if err != nil {
			return nil, err
		}
		if len(s.peers) == 0 || len(*access) == 0 {
			return nil, fmt.Errorf("crypto map %s %d is incomplete", i.cryptomap, sequence)
		}
		for _, peer := range s.peers {
			t, err := d.tunnel(s, peer)
			if err != nil {
				return nil, fmt.Errorf("crypto map %s %d: %w", i.cryptomap, sequence, err)
			}
			t.Name, t.LocalAddress, t.Selectors = name(i.cryptomap, strconv.Itoa(sequence), peer), i.address, *access
			tunnels = append(tunnels, t)
		}
	}
	return tunnels, nil
}

// tunnel is what an entry or a profile negotiates with a peer.
func (d *ios) tunnel(s *iosSet, peer string) (Tunnel, error) {
	t := Tunnel{RemoteAddress: peer, ESPLifetime: s.lifetime, ESPKilobytes: s.kilobytes, NATT: true}
	var esp offers
	for _, n := range s.transforms {
		transform, err := d.transforms.refer(n)
		if err != nil {
			return t, err
		}
		if transform.transport || transform.encryption == "" || transform.integrity == "" {
			return t, fmt.Errorf("crypto ipsec transform-set %s does not encrypt and authenticate in tunnel mode", n)
		}
		esp.add(transform.encryption, transform.integrity, s.pfs)
	}
	if len(esp) == 0 {
		return t, fmt.Errorf("no transform-set is set")
	}
	t.ESPProposal = esp.String()
	switch {
	case s.profile != "" && s.ikev2Profile != "":
		return t, fmt.Errorf("both an isakmp-profile and an ikev2-profile are set")
	case s.ikev2Profile != "":
		return d.ikev2(t, s.ikev2Profile)
	}
	return d.ikev1(t, s.profile)
}

// ikev1 offers every policy with a pre-shared key by its number. Aggressive
// mode carries one group only.
func (d *ios) ikev1(t Tunnel, profile string) (Tunnel, error) {
	peer := t.RemoteAddress
	p, err := d.profiles.refer(profile)
	if err != nil {
		return t, err
	}
	ring, err := d.keyrings.refer(p.keyring)
	if err != nil {
		return t, err
	}
	t.PSK = (*ring)[peer]
	var ike offers
	for _, n := range sorted(d.policies) {
		policy := d.policies[n]
		if policy.authentication != "pre-share" {
			continue
		}
		if t.IKELifetime != 0 && t.IKELifetime != policy.lifetime {
			return t, fmt.Errorf("crypto isakmp policies of different lifetimes")
		}
		ike.add(policy.encryption, policy.hash, policy.group)
		t.IKELifetime = policy.lifetime
	}
	switch {
	case len(ike) == 0:
		return t, fmt.Errorf("no crypto isakmp policy has a pre-shared key")
	case p.aggressive && len(ike) > 1:
		return t, fmt.Errorf("aggressive mode with several crypto isakmp policies")
	case len(t.PSK) == 0:
		return t, fmt.Errorf("crypto keyring %s has no key for %s", p.keyring, peer)
	case len(p.accepts) == 0:
		return t, fmt.Errorf("crypto isakmp profile %s matches no identity", profile)
	}
	t.IKE, t.Aggressive, t.DPD = 1, p.aggressive, p.dpd
	t.LocalID, t.RemoteIDs, t.IKEProposal = p.identity, p.accepts, ike.String()
	return t, nil
}

// ikev2 offers the proposals of the policy, which is chosen by the local
// address alone; without one the router has a default of its own.
func (d *ios) ikev2(t Tunnel, profile string) (Tunnel, error) {
	peer := t.RemoteAddress
	p, err := d.ikev2Profiles.refer(profile)
	if err != nil {
		return t, err
	}
	ring, err := d.ikev2Keyrings.refer(p.keyring)
	if err != nil {
		return t, err
	}
	for _, k := range ring.all {
		if k.address != peer {
			continue
		}
		if t.PSK != nil {
			return t, fmt.Errorf("crypto ikev2 keyring %s has more than one peer %s", p.keyring, peer)
		}
		t.PSK = k.psk
	}
	switch {
	case len(t.PSK) == 0:
		return t, fmt.Errorf("crypto ikev2 keyring %s has no key for %s", p.keyring, peer)
	case len(p.accepts) == 0:
		return t, fmt.Errorf("crypto ikev2 profile %s matches no identity", profile)
	case !p.ourKey || !p.theirKey:
		return t, fmt.Errorf("crypto ikev2 profile %s lacks an authentication method", profile)
	case len(d.ikev2Policies.order) != 1:
		return t, fmt.Errorf("%d crypto ikev2 policies for one local address", len(d.ikev2Policies.order))
	}
	var ike offers
	for n, policy := range d.ikev2Policies.all {
		for _, m := range *policy {
			s, err := d.proposals.refer(m)
			if err != nil {
				return t, err
			}
			if err := s.complete(); err != nil {
				return t, fmt.Errorf("crypto ikev2 proposal %s: %w", m, err)
			}
			ike.add(s.parts()...)
		}
		if len(ike) == 0 {
			return t, fmt.Errorf("crypto ikev2 policy %s has no proposal", n)
		}
	}
	t.IKE, t.DPD, t.IKELifetime = 2, p.dpd, p.lifetime
	t.LocalID, t.RemoteIDs, t.IKEProposal = p.identity, p.accepts, ike.String()
	return t, nil
}

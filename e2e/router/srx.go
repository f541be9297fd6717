package router

import (
	"fmt"
	"net/netip"
	"strings"
)

// An srx is what a Juniper SRX was told. Words, ranges, defaults and what may
// not stand together are those of the junos-es-conf-security YANG model; the
// default lifetimes are those of "lifetime-seconds (Security IKE)" and
// "lifetime-seconds (Security IPsec)" in the Junos CLI reference.
type srx struct {
	ikeProposals   objects[srxProposal]
	ikePolicies    objects[srxPolicy]
	gateways       objects[srxGateway]
	ipsecProposals objects[srxProposal]
	ipsecPolicies  objects[srxPolicy]
	vpns           objects[srxVPN]
	units, zoned   map[string]bool
}

type srxProposal struct {
	encryption, authentication, group string
	keyed, esp                        bool
	lifetime                          int
}

// srxPolicy is a policy of either phase.
type srxPolicy struct {
	proposals  []string
	psk        []byte
	aggressive bool
	pfs        string
}

type srxGateway struct {
	policy, address, local, remote, external string
	version                                  int
	dpd, natt                                bool
}

type srxVPN struct {
	bind, gateway, policy string
	proxy                 Selector
	service, immediately  bool
	selectors             objects[Selector]
}

var (
	srxEncryption    = map[string]string{"des-cbc": "des", "3des-cbc": "3des", "aes-128-cbc": "aes128", "aes-192-cbc": "aes192", "aes-256-cbc": "aes256"}
	srxIKEIntegrity  = map[string]string{"md5": "md5", "sha1": "sha1", "sha-256": "sha256", "sha-384": "sha384", "sha-512": "sha512"}
	srxESPIntegrity  = map[string]string{"hmac-md5-96": "md5", "hmac-sha1-96": "sha1", "hmac-sha-256-128": "sha256", "hmac-sha-384": "sha384", "hmac-sha-512": "sha512"}
	srxIdentityKinds = map[string]string{"inet": "address", "inet6": "address", "hostname": "fqdn", "user-at-hostname": "email", "key-id": "key-id"}
)

func readSRX(text string) ([]Tunnel, error) {
	statements, err := srxStatements(text)
	if err != nil {
		return nil, err
	}
	d := &srx{
		units: map[string]bool{}, zoned: map[string]bool{},
		ikeProposals:   objects[srxProposal]{kind: "security ike proposal"},
		ikePolicies:    objects[srxPolicy]{kind: "security ike policy"},
		gateways:       objects[srxGateway]{kind: "security ike gateway"},
		ipsecProposals: objects[srxProposal]{kind: "security ipsec proposal"},
		ipsecPolicies:  objects[srxPolicy]{kind: "security ipsec policy"},
		vpns:           objects[srxVPN]{kind: "security ipsec vpn"},
	}
	if err := apply(statements, d.rules()); err != nil {
		return nil, err
	}
	var tunnels []Tunnel
	for _, n := range d.vpns.order {
		t, err := d.tunnel(d.vpns.all[n])
		if err != nil {
			return nil, fmt.Errorf("security ipsec vpn %s: %w", n, err)
		}
		t.Name = name(n)
		tunnels = append(tunnels, t)
	}
	return tunnels, first(d.gateways.unused, d.ikePolicies.unused, d.ikeProposals.unused, d.ipsecPolicies.unused, d.ipsecProposals.unused)
}

// srxStatements reads set lines. Quotes take any character but themselves; a
// backslash within them is refused, its meaning is not documented.
func srxStatements(text string) ([]*statement, error) {
	var statements []*statement
	for i, line := range strings.Split(text, "\n") {
		if line == "" || strings.HasPrefix(line, "#") {
			continue
		}
		words, err := srxWords(line)
		if err == nil && words[0] != "set" {
			err = fmt.Errorf("not a set command")
		}
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", i+1, err)
		}
		s := &statement{line: i + 1, words: words[1:]}
		if len(s.words) > 4 && (s.words[1] == "ike" || s.words[1] == "ipsec") {
			s = s.split(4)
		}
		statements = append(statements, s)
	}
	return statements, nil
}

func srxWords(line string) ([]string, error) {
	var words []string
	for line += " "; line != ""; {
		word, rest, _ := strings.Cut(line, " ")
		if quoted, ok := strings.CutPrefix(line, `"`); ok {
			if word, rest, ok = strings.Cut(quoted, `" `); !ok {
				return nil, fmt.Errorf("a quote does not end")
			}
			if strings.ContainsAny(word, "\"\\\t") {
				return nil, fmt.Errorf("a character that quotes do not keep")
			}
		} else if word == "" || strings.ContainsFunc(word, func(r rune) bool {
			return r <= ' ' || r > '~' || strings.ContainsRune("\"'`?;#{}[]()<>|&!$\\^~,*", r)
		}) {
			return nil, fmt.Errorf("a character that wants quotes")
		}
		words, line = append(words, word), rest
	}
	return words, nil
}

func (d *srx) rules() []rule {
	unit := func(a []string) error { d.units["st0."+a[0]] = true; return nil }
	short := func(a []string) error {
		if len(a[0]) > 32 {
			return fmt.Errorf("%s is longer than 32 characters", a[0])
		}
		return nil
	}
	zoned := func(a []string) error { d.zoned[a[1]] = true; return nil }
	return []rule{
		{words: "policy-options policy-statement ..."},
		{words: "protocols bgp group ..."},
		{words: "interfaces st0 unit * family inet", mean: unit},
		{words: "interfaces st0 unit * family inet address *", mean: unit},
		{words: "interfaces st0 unit * family inet mtu *", mean: unit},
		{words: "security zones security-zone * interfaces *", mean: zoned},
		{words: "security zones security-zone * interfaces * host-inbound-traffic protocols bgp", mean: zoned},
		{words: "routing-options static route ..."},
		{words: "services rpm probe ..."},
		{words: "services ip-monitoring policy ..."},
		{words: "security zones security-zone * host-inbound-traffic system-services ike"},
		{words: "security flow tcp-mss ipsec-vpn mss *"},
		{words: "security address-book global address ..."},
		{words: "security policies ..."},
		{words: "security ike proposal *", mean: short, under: func(a []string) []rule {
			return d.ikeProposals.named(a[0], srxProposal{lifetime: 28800}).ikeRules()
		}},
		{words: "security ike policy *", mean: short, under: func(a []string) []rule {
			return d.ikePolicies.named(a[0], srxPolicy{}).ikeRules()
		}},
		{words: "security ike gateway *", mean: short, under: func(a []string) []rule {
			return d.gateways.named(a[0], srxGateway{version: 1, natt: true}).rules()
		}},
		{words: "security ipsec proposal *", mean: short, under: func(a []string) []rule {
			return d.ipsecProposals.named(a[0], srxProposal{lifetime: 3600}).ipsecRules()
		}},
		{words: "security ipsec policy *", mean: short, under: func(a []string) []rule {
			return d.ipsecPolicies.named(a[0], srxPolicy{}).ipsecRules()
		}},
		{words: "security ipsec vpn *", mean: short, under: func(a []string) []rule {
			return d.vpns.named(a[0], srxVPN{}).rules()
		}},
	}
}

func (p *srxProposal) ikeRules() []rule {
	return []rule{
		{words: "authentication-method pre-shared-keys", mean: set(&p.keyed, true)},
		{words: "encryption-algorithm *", mean: word(&p.encryption, srxEncryption)},
		{words: "authentication-algorithm *", mean: word(&p.authentication, srxIKEIntegrity)},
		{words: "dh-group *", mean: group(&p.group)},
		{words: "lifetime-seconds *", mean: number(&p.lifetime, 180, 86400)},
	}
}

func (p *srxProposal) ipsecRules() []rule {
	return []rule{
		{words: "protocol esp", mean: set(&p.esp, true)},
		{words: "encryption-algorithm *", mean: word(&p.encryption, srxEncryption)},
		{words: "authentication-algorithm *", mean: word(&p.authentication, srxESPIntegrity)},
		{words: "lifetime-seconds *", mean: number(&p.lifetime, 180, 86400)},
	}
}

func (p *srxPolicy) ikeRules() []rule {
	return []rule{
		{words: "mode main", mean: set(&p.aggressive, false)},
		{words: "mode aggressive", mean: set(&p.aggressive, true)},
		{words: "proposals *", mean: p.propose},
		{words: "pre-shared-key ascii-text *", mean: p.ascii},
		{words: "pre-shared-key hexadecimal *", mean: hexSecret(&p.psk)},
	}
}

// ascii is the key itself, but one that begins like the device's own
// scrambling is taken for scrambled.
func (p *srxPolicy) ascii(a []string) error {
	if strings.HasPrefix(a[0], "$8$") || strings.HasPrefix(a[0], "$9$") || a[0] == "" || len(a[0]) > 255 {
		return fmt.Errorf("the key is not one of 1 to 255 characters in plain text")
	}
	p.psk = []byte(a[0])
	return nil
}

func (p *srxPolicy) ipsecRules() []rule {
	return []rule{
		{words: "perfect-forward-secrecy keys *", mean: group(&p.pfs)},
		{words: "proposals *", mean: p.propose},
	}
}

func (p *srxPolicy) propose(a []string) error {
	p.proposals = append(p.proposals, a[0])
	return nil
}

func (g *srxGateway) rules() []rule {
	return []rule{
		{words: "ike-policy *", mean: text(&g.policy)},
		{words: "address *", mean: address(&g.address)},
		{words: "version v1-only", mean: set(&g.version, 1)},
		{words: "version v2-only", mean: set(&g.version, 2)},
		{words: "local-identity * *", mean: srxIdentity(&g.local)},
		{words: "remote-identity * *", mean: srxIdentity(&g.remote)},
		{words: "external-interface *", mean: port(&g.external)},
		{words: "dead-peer-detection always-send", mean: set(&g.dpd, true)},
		{words: "dead-peer-detection optimized", mean: set(&g.dpd, true)},
		{words: "dead-peer-detection probe-idle-tunnel", mean: set(&g.dpd, true)},
		{words: "dead-peer-detection interval *", mean: g.deadPeer(10, 60)},
		{words: "dead-peer-detection threshold *", mean: g.deadPeer(1, 5)},
		{words: "no-nat-traversal", mean: set(&g.natt, false)},
	}
}

func (g *srxGateway) deadPeer(low, high int) func([]string) error {
	return func(a []string) error { g.dpd = true; _, err := within(a[0], low, high); return err }
}

func srxIdentity(p *string) func([]string) error {
	return func(a []string) error {
		kind, err := lookup(srxIdentityKinds, a[0])
		if err == nil && kind == "address" {
			return address(p)(a)
		}
		*p = identity(kind, a[1])
		return err
	}
}

func (v *srxVPN) rules() []rule {
	selector := func(n string) *Selector { return v.selectors.named(n, Selector{}) }
	return []rule{
		{words: "bind-interface *", mean: text(&v.bind)},
		{words: "df-bit clear"},
		{words: "ike gateway *", mean: text(&v.gateway)},
		{words: "ike ipsec-policy *", mean: text(&v.policy)},
		{words: "ike proxy-identity local *", mean: srxNetwork(&v.proxy.Local)},
		{words: "ike proxy-identity remote *", mean: srxNetwork(&v.proxy.Remote)},
		{words: "ike proxy-identity service any", mean: set(&v.service, true)},
		{words: "traffic-selector * local-ip *", mean: func(a []string) error { return srxNetwork(&selector(a[0]).Local)(a) }},
		{words: "traffic-selector * remote-ip *", mean: func(a []string) error { return srxNetwork(&selector(a[0]).Remote)(a) }},
		{words: "traffic-selector * preference *", mean: func(a []string) error { selector(a[0]); return nil }},
		{words: "establish-tunnels immediately", mean: set(&v.immediately, true)},
		{words: "establish-tunnels on-traffic", mean: set(&v.immediately, false)},
	}
}

func srxNetwork(p *netip.Prefix) func([]string) error {
	return func(a []string) (err error) {
		if *p, err = netip.ParsePrefix(a[len(a)-1]); err == nil && *p != p.Masked() {
			return fmt.Errorf("%s has bits behind its mask", p)
		}
		return err
	}
}

func (d *srx) tunnel(v *srxVPN) (Tunnel, error) {
	t := Tunnel{RouteBased: true, Initiates: v.immediately}
	switch {
	case v.bind == "": // it would want a security policy that names it
		return t, fmt.Errorf("no bind-interface")
	case !d.units[v.bind]:
		return t, fmt.Errorf("interface %s is not configured for inet", v.bind)
	case !d.zoned[v.bind]:
		return t, fmt.Errorf("interface %s is in no security zone", v.bind)
	}
	for _, other := range d.vpns.all {
		if other != v && other.bind == v.bind {
			return t, fmt.Errorf("interface %s is bound twice", v.bind)
		}
	}
	for _, phase := range []func(*srxVPN, *Tunnel) error{d.ike, d.esp, d.selectors} {
		if err := phase(v, &t); err != nil {
			return t, err
		}
	}
	return t, nil
}

func (d *srx) ike(v *srxVPN, t *Tunnel) error {
	g, err := d.gateways.refer(v.gateway)
	if err != nil {
		return err
	}
	policy, err := d.ikePolicies.refer(g.policy)
	if err != nil {
		return err
	}
	var ike offers
	for _, n := range policy.proposals {
		p, err := d.ikeProposals.refer(n)
		if err != nil {
			return err
		}
		if !p.keyed || p.encryption == "" || p.authentication == "" || p.group == "" {
			return fmt.Errorf("security ike proposal %s is incomplete", n)
		}
		if t.IKELifetime != 0 && t.IKELifetime != p.lifetime {
			return fmt.Errorf("security ike policy %s has proposals of different lifetimes", g.policy)
		}
		ike.add(p.encryption, p.authentication, p.group)
		t.IKELifetime = p.lifetime
	}
	if len(ike) == 0 || len(policy.psk) == 0 || g.address == "" || g.external == "" {
		return fmt.Errorf("security ike gateway %s lacks a proposal, a key, an address or an external-interface", v.gateway)
	}
	t.IKE, t.Aggressive, t.IKEProposal = g.version, policy.aggressive && g.version == 1, ike.String()
	t.PSK, t.DPD, t.NATT = policy.psk, g.dpd, g.natt
	t.RemoteAddress, t.LocalID = g.address, g.local
	if t.RemoteIDs = []string{g.remote}; g.remote == "" {
		t.RemoteIDs[0] = g.address
	}
	return nil
}

func (d *srx) esp(v *srxVPN, t *Tunnel) error {
	policy, err := d.ipsecPolicies.refer(v.policy)
	if err != nil {
		return err
	}
	var esp offers
	for _, n := range policy.proposals {
		p, err := d.ipsecProposals.refer(n)
		if err != nil {
			return err
		}
		if !p.esp || p.encryption == "" || p.authentication == "" {
			return fmt.Errorf("security ipsec proposal %s is incomplete", n)
		}
		if t.ESPLifetime != 0 && t.ESPLifetime != p.lifetime {
			return fmt.Errorf("security ipsec policy %s has proposals of different lifetimes", v.policy)
		}
		esp.add(p.encryption, p.authentication, policy.pfs)
		t.ESPLifetime = p.lifetime
	}
	if len(esp) == 0 {
		return fmt.Errorf("security ipsec policy %s has no proposal", v.policy)
	}
	t.ESPProposal = esp.String()
	return nil
}

// selectors are the proxy identity or the traffic selectors, each of these a
// pair of SAs of its own. A site-to-site traffic selector cannot have
// 0.0.0.0/0 as its remote side ("Traffic Selectors in Route-Based VPNs").
func (d *srx) selectors(v *srxVPN, t *Tunnel) error {
	proxied := v.service || v.proxy.Local.IsValid() || v.proxy.Remote.IsValid()
	switch {
	case proxied && len(v.selectors.order) > 0:
		return fmt.Errorf("both a proxy-identity and traffic-selectors")
	case proxied && !(v.service && v.proxy.Local.IsValid() && v.proxy.Remote.IsValid()):
		return fmt.Errorf("a proxy-identity without local, remote or service")
	case proxied:
		t.Selectors = []Selector{v.proxy}
	case len(v.selectors.order) == 0:
		t.Selectors = anywhere()
	}
	for _, n := range v.selectors.order {
		s := *v.selectors.all[n]
		if !s.Local.IsValid() || !s.Remote.IsValid() || s.Remote.Bits() == 0 || len(n) > 31 {
			return fmt.Errorf("traffic-selector %s cannot be used", n)
		}
		t.Selectors = append(t.Selectors, s)
	}
	return nil
}

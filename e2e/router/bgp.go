package router

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strings"
)

// A Session is a BGP session of the device, as it runs when all lines are in.
type Session struct {
	ASN, CloudASN int
	CloudAddress  string
	// From is the interface, or the address, that the session is bound to; ASA
	// has none.
	From string
	Key  string
	Hold int // seconds asked for
	Hops int
	// Takes and Announces are the networks in the device's order, "10.0.0.0/8
	// le 32" with those inside of it, "not" before what is left out.
	Takes, Announces []string
	LocalPreference  int    // of what is taken
	Prepend          string // AS path in front of what is announced
}

// bgp is what a text says of sessions.
type bgp struct {
	asn      int
	networks []string // of the device's own
	order    []string
	peers    map[string]*bgpPeer
	lists    map[string][]string
	policies map[string]*bgpPolicy
	listed   bool // filters are lists; otherwise the policies' own
	external bool
}

type bgpPeer struct {
	Session
	active, down bool
	in, out      string
}

type bgpPolicy struct {
	list       string
	passes     []string
	all        bool // what is not left out above
	preference int
	prepend    string
}

// ReadBGP reads the text of a dialect into the sessions of the device. An error
// names the line or the object at fault, never a key.
func ReadBGP(dialect, text string) ([]Session, error) {
	b := &bgp{peers: map[string]*bgpPeer{}, lists: map[string][]string{}, policies: map[string]*bgpPolicy{}}
	statements, rules, err := []*statement(nil), b.ciscoRules(), error(nil)
	if dialect == "juniper-srx" {
		rules = b.junosRules()
		statements, err = srxStatements(text)
	} else {
		b.listed, b.external = true, true // by the AS numbers
		statements, err = ciscoStatements(text)
	}
	if err == nil {
		err = apply(statements, append(rules, beside(nil)...))
	}
	if err != nil {
		return nil, err
	}
	return b.sessions()
}

func (b *bgp) peer(address string) *bgpPeer {
	if b.peers[address] == nil {
		b.peers[address] = &bgpPeer{Session: Session{CloudAddress: address, Hold: 180, Hops: 1}}
		b.order = append(b.order, address)
	}
	return b.peers[address]
}

func (b *bgp) policy(name string) *bgpPolicy {
	if b.policies[name] == nil {
		b.policies[name] = &bgpPolicy{preference: 100}
	}
	return b.policies[name]
}

// of is a rule about a neighbor, which the first argument names.
func (b *bgp) of(words string, mean func(p *bgpPeer, a []string) error) rule {
	return rule{words: words, mean: func(a []string) error { return mean(b.peer(a[0]), a[1:]) }}
}

const anyASN = 1<<32 - 2

func (b *bgp) ciscoRules() []rule {
	list := func(a []string) error {
		verdict, err := lookup(map[string]string{"deny": "not ", "permit": ""}, a[1])
		b.lists[a[0]] = append(b.lists[a[0]], verdict+strings.Join(a[2:], " "))
		return err
	}
	neighbors := []rule{
		{words: "network * mask *", mean: func(a []string) error {
			p, err := prefix(a[0], a[1])
			b.networks = append(b.networks, p.String())
			return err
		}},
		b.of("neighbor * remote-as *", func(p *bgpPeer, a []string) error { return number(&p.CloudASN, 1, anyASN)(a) }),
		b.of("neighbor * shutdown", func(p *bgpPeer, _ []string) error { p.down = true; return nil }),
		b.of("no neighbor * shutdown", func(p *bgpPeer, _ []string) error { p.down = false; return nil }),
		b.of("neighbor * ebgp-multihop *", func(p *bgpPeer, a []string) error { return number(&p.Hops, 1, 255)(a) }),
		b.of("neighbor * update-source *", func(p *bgpPeer, a []string) error { p.From = a[0]; return nil }),
		b.of("neighbor * timers * *", func(p *bgpPeer, a []string) error { return number(&p.Hold, 3, 65535)(a) }),
		b.of("neighbor * password *", func(p *bgpPeer, a []string) error { p.Key = a[0]; return nil }),
		b.of("neighbor * activate", func(p *bgpPeer, _ []string) error { p.active = true; return nil }),
		b.of("neighbor * route-map * in", func(p *bgpPeer, a []string) error { p.in = a[0]; return nil }),
		b.of("neighbor * route-map * out", func(p *bgpPeer, a []string) error { p.out = a[0]; return nil }),
		{words: "exit-address-family"},
	}
	family := func([]string) []rule { return neighbors }
	return []rule{
		{words: "ip prefix-list * * ...", mean: list},
		{words: "prefix-list * * ...", mean: list},
		{words: "route-map * deny *", mean: func(a []string) error { b.policy(a[0]); return nil }},
		{words: "route-map * permit *", under: func(a []string) []rule {
			p := b.policy(a[0])
			return []rule{
				{words: "match ip address prefix-list *", mean: text(&p.list)},
				{words: "set local-preference *", mean: number(&p.preference, 0, 1<<32-1)},
				{words: "set as-path prepend ...", mean: func(a []string) error { p.prepend = strings.Join(a, " "); return nil }},
			}
		}},
		{words: "router bgp *", mean: number(&b.asn, 1, anyASN), under: func([]string) []rule {
			return append([]rule{{words: "address-family ipv4", under: family}, {words: "address-family ipv4 unicast", under: family}}, neighbors...)
		}},
	}
}

func (b *bgp) junosRules() []rule {
	group := "protocols bgp group * "
	neighbor := func(words string, mean func(p *bgpPeer, a []string) error) rule {
		return rule{words: group + "neighbor * " + words, mean: func(a []string) error {
			p := b.peer(a[1])
			p.active = true
			return mean(p, a[2:])
		}}
	}
	term := func(words string, mean func(p *bgpPolicy, a []string) error) rule {
		return rule{words: "policy-options policy-statement * term * " + words, mean: func(a []string) error { return mean(b.policy(a[0]), a[1:]) }}
	}
	filter := func(le string) func(p *bgpPolicy, a []string) error {
		return func(p *bgpPolicy, a []string) error {
			p.passes = append(p.passes, a[0]+" "+a[1]+le)
			return nil
		}
	}
	return []rule{
		{words: group + "type external", mean: set(&b.external, true)},
		{words: group + "local-as *", mean: number(&b.asn, 1, anyASN)},
		neighbor("local-address *", func(p *bgpPeer, a []string) error { p.From = a[0]; return nil }),
		neighbor("peer-as *", func(p *bgpPeer, a []string) error { return number(&p.CloudASN, 1, anyASN)(a) }),
		neighbor("multihop ttl *", func(p *bgpPeer, a []string) error { return number(&p.Hops, 1, 255)(a) }),
		neighbor("hold-time *", func(p *bgpPeer, a []string) error { return number(&p.Hold, 3, 65535)(a) }),
		neighbor("authentication-key *", func(p *bgpPeer, a []string) error { p.Key = a[0]; return nil }),
		neighbor("import *", func(p *bgpPeer, a []string) error { p.in = a[0]; return nil }),
		neighbor("export *", func(p *bgpPeer, a []string) error { p.out = a[0]; return nil }),
		{words: "protocols ...", mean: func([]string) error { return fmt.Errorf("unknown protocol statement") }},
		term("from route-filter * exact", filter("")),
		term("from route-filter * orlonger", filter(" le 32")),
		term("then local-preference *", func(p *bgpPolicy, a []string) error { return number(&p.preference, 0, 1<<32-1)(a) }),
		term("then as-path-prepend *", func(p *bgpPolicy, a []string) error { p.prepend = a[1]; return nil }),
		term("then accept", func(p *bgpPolicy, a []string) error { return p.end(a[0], "") }),
		term("then reject", func(p *bgpPolicy, a []string) error { return p.end(a[0], "not ") }),
		{words: "policy-options ...", mean: func([]string) error { return fmt.Errorf("unknown policy statement") }},
	}
}

// end settles what a term's networks come to; a term without any has all that
// is left.
func (p *bgpPolicy) end(term, verdict string) error {
	found := false
	for i, n := range p.passes {
		if name, network, ok := strings.Cut(n, " "); ok && name == term {
			p.passes[i], found = verdict+network, true
		}
	}
	if !found && !p.all {
		p.all = true
		p.passes = append(p.passes, verdict+"0.0.0.0/0 le 32")
	}
	return nil
}

func (b *bgp) sessions() (out []Session, err error) {
	for _, address := range b.order {
		p := b.peers[address]
		s := p.Session
		s.ASN = b.asn
		in, out2 := b.policies[p.in], b.policies[p.out]
		switch {
		case !p.active || p.down || !b.external || s.ASN == 0 || s.CloudASN == 0:
			return nil, fmt.Errorf("neighbor %s is not up: shut down, not activated, not external, or without an AS number", address)
		case in == nil || out2 == nil:
			return nil, fmt.Errorf("neighbor %s has no filter in or out", address)
		}
		s.LocalPreference, s.Prepend = in.preference, out2.prepend
		if s.Takes, err = b.filter(in); err == nil {
			s.Announces, err = b.filter(out2)
		}
		if err != nil {
			return nil, fmt.Errorf("neighbor %s: %w", address, err)
		}
		if b.listed {
			s.Announces = slices.DeleteFunc(s.Announces, func(n string) bool { return !slices.Contains(b.networks, n) })
		}
		out = append(out, s)
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("no BGP session among %v", slices.Sorted(maps.Keys(b.policies)))
	}
	return out, nil
}

// filter is what a policy lets pass. Behind a list nothing does.
func (b *bgp) filter(p *bgpPolicy) ([]string, error) {
	const rest = "0.0.0.0/0 le 32"
	networks := b.lists[p.list]
	switch {
	case b.listed && networks == nil:
		return nil, fmt.Errorf("prefix-list %q is not configured", p.list)
	case !b.listed && !p.all:
		return nil, fmt.Errorf("a policy leaves the rest to BGP's own, which lets it pass")
	case !b.listed:
		networks = slices.DeleteFunc(slices.Clone(p.passes), func(n string) bool { return n == "not "+rest })
	}
	for _, n := range networks {
		network, _, _ := strings.Cut(strings.TrimPrefix(n, "not "), " ")
		if _, err := netip.ParsePrefix(network); err != nil {
			return nil, err
		}
	}
	return networks, nil
}

package render

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// normalizer puts one connection into one target's words.
type normalizer struct {
	target   Target
	run      run
	answers  *answers
	own      map[string]vpn.Given // the connection's answers
	conn     vpn.Connection
	part     int          // the number of the one tunnel that the device has of two; 0: it has all
	others   []vpn.Tunnel // that another device has
	problems vpn.Problems
	notices  []notice
	warnings []string
	way      *string // the command that changes the cloud's side, once it is made
}

// run is what all connections of a run share.
type run struct {
	targets []Target
	region  string
	strict  bool
}

func (n *normalizer) refuse(t vpn.Tunnel, field, value, reason, hint string) {
	p := vpn.Problem{Connection: n.conn.Title(), Field: field, Value: value, Target: n.target.String(), Reason: reason, Hint: hint}
	if n.conn.Dual() || n.part > 0 && t.Number > 0 {
		p.Tunnel = t.Number
	}
	n.problems = append(n.problems, p)
}

// normalize returns the view, or all reasons there is none.
func (n *normalizer) normalize() (View, vpn.Problems) {
	n.mode()
	c := n.conn
	if !n.target.removes {
		n.check()
	}
	v := View{
		conn:    c,
		Removes: n.target.removes,
		Comment: n.target.Comment, Label: n.label(), Target: n.target.String(), Name: n.name(),
		Dual: c.Dual(), RouteBased: routeBased(c, vpn.Tunnel{}), Selective: selective(c, vpn.Tunnel{}),
	}
	peer, cloud := nets(c.PeerSubnets), nets(c.CloudSubnets)
	v.PeerNets, v.CloudNets = peer, cloud
	v.PeerPrefixes, v.CloudPrefixes = prefixes(peer), prefixes(cloud)
	for _, p := range peer {
		for _, q := range cloud {
			v.Pairs = append(v.Pairs, Pair{len(v.Pairs) + 1, p, q})
		}
	}
	v.OnePair = len(v.Pairs) == 1
	v.VTI = v.RouteBased || v.Dual
	v.OneCloudID = oneCloudID(c, vpn.Tunnel{})
	for _, t := range c.Tunnels {
		if !n.target.removes {
			n.weak(t)
			n.healthCheck(t)
		}
		n.pass(t, -1)
		v.Tunnels = append(v.Tunnels, n.tunnel(v.Name, t))
		n.pass(t, 1)
		n.rules(t)
	}
	n.routing(&v)
	for i := range v.Tunnels {
		v.Tunnels[i].Children = children(v, v.Tunnels[i])
		v.Tunnels[i].PairByPair = len(v.Tunnels[i].Children) > 1
	}
	n.parted()
	n.uplinks(v)
	v.Groups, v.First, v.MTU, v.MSS = groups(v), v.Tunnels[0], v.Tunnels[0].MTU, v.Tunnels[0].MSS
	n.routes(&v)
	n.probe(&v)
	v.StaticRoutes = v.OnePair && v.Routed
	for _, t := range v.Tunnels {
		v.MTU, v.MSS = min(v.MTU, t.MTU), min(v.MSS, t.MSS)
	}
	v.Warnings, v.Notices = n.merged(true), n.merged(false)
	if n.run.strict {
		n.refuseWarnings()
	}
	return v, n.problems
}

// check takes over what no target could render.
func (n *normalizer) check() {
	for _, p := range vpn.Check(n.whole()) {
		if n.othersProblem(p) {
			continue
		}
		if p.Field == "IkeLifetime" || p.Field == "IpsecLifetime" {
			p.Hint = n.wayOut(p.Field)
		}
		n.problems = append(n.problems, p)
	}
}

// children are the SAs a tunnel has: IKEv2 negotiates all selectors at once,
// IKEv1 one pair at a time (RFC 2409 §5.5).
func children(v View, t Tunnel) []Child {
	if t.IKEv2 {
		return []Child{{1, t.Name, v.PeerPrefixes, v.CloudPrefixes}}
	}
	var out []Child
	for _, p := range v.Pairs {
		out = append(out, Child{p.Number, fmt.Sprintf("%s-%d", t.Name, p.Number), []string{p.Peer.Prefix}, []string{p.Cloud.Prefix}})
	}
	return out
}

func prefixes(nets []Net) []string {
	out := make([]string, len(nets))
	for i, n := range nets {
		out[i] = n.Prefix
	}
	return out
}

func groups(v View) []Group {
	if !v.RouteBased {
		return []Group{group(v.Name, v.Tunnels)}
	}
	var out []Group
	for i, t := range v.Tunnels {
		out = append(out, group(t.Name, v.Tunnels[i:i+1]))
	}
	return out
}

func group(name string, tunnels []Tunnel) Group {
	g := Group{Name: name, First: tunnels[0], Tunnels: tunnels}
	for _, t := range tunnels {
		if !slices.Contains(g.CloudIdentities, t.CloudIdentity) {
			g.CloudIdentities = append(g.CloudIdentities, t.CloudIdentity)
		}
	}
	return g
}

func (n *normalizer) tunnel(name string, t vpn.Tunnel) Tunnel {
	out := Tunnel{
		Name: name, Number: t.Number, Active: t.Number == 1,
		PeerAddress: t.PeerAddress.String(), CloudAddress: t.CloudAddress.String(),
		PeerIdentity:  n.identity(t, "the peer's identity", t.PeerIdentity, func(id Identity) string { return id.Peer }),
		CloudIdentity: n.identity(t, "the cloud's identity", t.CloudIdentity, func(id Identity) string { return id.Cloud }),
		PeerID:        t.PeerIdentity.Value, CloudID: t.CloudIdentity.Value,
		CloudNamed: t.CloudIdentity.Value != t.CloudAddress.String(),
		Key:        n.key(t),
		IKEv1:      t.IKE.Version == vpn.IKEv1, IKEv2: t.IKE.Version == vpn.IKEv2,
		Aggressive: t.IKE.Version == vpn.IKEv1 && t.IKE.Mode == vpn.Aggressive,
		PFS:        t.ESP.PFS != vpn.NoGroup, DPD: t.DPD, NATT: t.NATT,
	}
	if n.conn.Dual() {
		out.Name += "-" + strconv.Itoa(t.Number)
		out.Preferred, out.Standby = t.Number == 1, t.Number == 2 && policyBased(n.conn, t)
	}
	ike, esp := n.target.IKE[t.IKE.Version], n.target.ESP[t.IKE.Version]
	out.IKE = sa(t.IKE.Lifetime)
	out.IKE.Encryption = word(n, t, "IkeEncAlg", t.IKE.Encryption, ike.Encryption)
	out.IKE.Integrity = word(n, t, "IkeAuthAlg", t.IKE.Integrity, ike.Integrity)
	out.IKE.Group = word(n, t, "IkePfs", t.IKE.Group, ike.Group)
	n.lifetime(t, "IkeLifetime", t.IKE.Lifetime, ike.Lifetime)
	out.ESP = sa(t.ESP.Lifetime)
	out.ESP.Encryption = word(n, t, "IpsecEncAlg", t.ESP.Encryption, esp.Encryption)
	out.ESP.Integrity = word(n, t, "IpsecAuthAlg", t.ESP.Integrity, esp.Integrity)
	if out.PFS {
		out.ESP.Group = word(n, t, "IpsecPfs", t.ESP.PFS, esp.Group)
	}
	out.Worded = out.ESP.Encryption != "" && out.ESP.Integrity != ""
	n.lifetime(t, "IpsecLifetime", t.ESP.Lifetime, esp.Lifetime)
	if since := n.target.OneChild; since != "" {
		certain, _ := n.target.holds(since, "")
		out.OneChild = certain && out.IKEv2
	}
	out.RekeyMargin = min(out.IKE.Margin, out.ESP.Margin, 540)
	if b := t.BGP; hasBGP(n.conn, t) {
		out.Session = n.session(t)
		inside := nets([]vpn.Subnet{{Prefix: b.Network}})[0]
		out.Inside, out.InsideAddress, out.InsideMask = true, b.PeerAddress.String(), inside.Mask
		out.InsidePrefix = netip.PrefixFrom(b.PeerAddress, b.Network.Bits()).String()
	}
	out.Set = n.answered(t)
	out.XFRM = out.Set["ipsecinterface"] != ""
	out.OtherEnd = otherEnd(out.Set["tunneladdress"])
	if !n.target.removes {
		n.mtu(&out, t)
	}
	return out
}

// identity writes an identity in the form that its kind has, the peer's or the
// cloud's.
func (n *normalizer) identity(t vpn.Tunnel, field string, id vpn.Identity, of func(Identity) string) string {
	forms := n.target.Identities[t.IKE.Version][id.Kind]
	if forms.Why == "" {
		return fmt.Sprintf(of(forms), id.Value)
	}
	if !n.target.removes {
		n.refuse(t, field, id.Value, forms.Why, toIKEv2+", or use an IPv4 address or a domain name as identity")
	}
	return id.Value
}

// sa splits a lifetime into when to replace the SA and the margin left then.
func sa(l vpn.Lifetime) SA {
	margin := l.Seconds() / 10
	return SA{Lifetime: l.Seconds(), Rekey: l.Seconds() - margin, Margin: margin}
}

// word looks an algorithm up in a phase's table.
func word[K interface {
	comparable
	fmt.Stringer
}](n *normalizer, t vpn.Tunnel, field string, value K, table map[K]Word) string {
	w := table[value]
	if n.target.removes {
		return w.Text
	}
	if w.Text == "" {
		n.refuse(t, field, value.String(), cmp.Or(w.Why, "the device has no word for it"), cmp.Or(w.Hint, n.wayOut(field)))
		return ""
	}
	switch certain, possible := n.has(n.target, w); {
	case !possible && w.Unless != "":
		n.refuse(t, field, value.String(), versions(n.target, w.Since, w.Until)+w.behind(), "where that is so, --set "+w.Unless+"\n"+n.wayOut(field))
	case !possible:
		n.refuse(t, field, value.String(), versions(n.target, w.Since, w.Until)+w.behind(), cmp.Or(w.Hint, n.wayOut(field)))
	case !certain:
		n.gate(t, field, value.String(), versions(n.target, w.Since, w.Until)+w.behind())
	}
	return w.Text
}

// has tells whether a target certainly has a word, and whether it may, be it by
// an answer.
func (n *normalizer) has(d Target, w Word) (certain, possible bool) {
	certain, possible = d.holds(w.Since, w.Until)
	name, value, _ := strings.Cut(w.Unless, "=")
	return certain, possible || w.Unless != "" && n.given(Answer{Name: name}, n.conn.Tunnels[0]) == value
}

// gate notices what only some versions have, once for all words of a reason.
func (n *normalizer) gate(t vpn.Tunnel, field, value, reason string) {
	what := field + " " + value
	for i, old := range n.notices {
		if fields, ok := strings.CutSuffix(old.text, ": "+reason); ok && old.tunnel == t.Number {
			n.notices[i].text = fields + ", " + what + ": " + reason
			return
		}
	}
	n.warn(t, field, what+": "+reason)
}

func (w Word) behind() string {
	if w.Why == "" {
		return ""
	}
	return "; " + w.Why
}

func versions(t Target, since, until Version) string {
	switch {
	case since == "":
		return fmt.Sprintf("%s has it before %s only", t.Title, until)
	case until == "":
		return fmt.Sprintf("%s has it from %s on", t.Title, since)
	}
	return fmt.Sprintf("%s has it from %s on and before %s", t.Title, since, until)
}

func (n *normalizer) lifetime(t vpn.Tunnel, field string, l vpn.Lifetime, r Range) {
	if s := l.Seconds(); !n.target.removes && s != 0 && (s < r.Min || s > r.Max) { // vpn.Check refuses 0
		n.refuse(t, field, strconv.Itoa(s), fmt.Sprintf("%s takes %d to %d seconds", r.Unit, r.Min, r.Max), n.wayOut(field))
	}
}

func (n *normalizer) key(t vpn.Tunnel) string {
	if n.target.removes {
		return ""
	}
	if w := t.PSK.Placeholder(); w != "" {
		return fmt.Sprintf(n.target.KeyWord, w)
	}
	if t.PSK.IsZero() {
		return "" // vpn.Check refuses it
	}
	text, refused := n.target.Key(t.PSK.Reveal(), t.IKE.Version)
	if refused != "" {
		n.refuse(t, "Psk", "", refused, "give the tunnel another key in the console")
	}
	return text
}

// rules applies the dialect's own refusals and notices.
func (n *normalizer) rules(t vpn.Tunnel) {
	for _, r := range n.target.refusals() {
		if certain, possible := n.target.holds(r.Since, r.Until); (certain || possible && r.Doubt) && r.When(n.conn, t) {
			hint := r.Hint
			if r.Mend != nil {
				hint = n.wayOut(r.Field)
			}
			n.refuse(t, r.Field, "", r.Reason, hint)
		}
	}
	for _, rules := range n.target.notices() {
		for _, r := range rules {
			if _, possible := n.target.holds(r.Since, r.Until); possible && r.When(n.conn, t) && n.told(r) {
				n.notices = append(n.notices, notice{t.Number, r.Reason, r.Warning, r.Hint})
			}
		}
	}
}

func nets(subnets []vpn.Subnet) []Net {
	out := make([]Net, len(subnets))
	for i, s := range subnets {
		if s.Word != "" {
			out[i] = Net{Prefix: s.Word, Address: s.Word, Mask: s.Word + "-mask", Wildcard: s.Word + "-wildcard", Number: i + 1, Within: s.Word}
			continue
		}
		mask := net.CIDRMask(s.Prefix.Bits(), 32)
		wild := [4]byte{^mask[0], ^mask[1], ^mask[2], ^mask[3]}
		out[i] = Net{s.String(), s.Prefix.Addr().String(), net.IP(mask).String(), netip.AddrFrom4(wild).String(), i + 1, s.Prefix.Bits() == 0, orLonger(s.Prefix)}
	}
	return out
}

// orLonger: a prefix list takes no length of 32 behind a host's network.
func orLonger(p netip.Prefix) string {
	if p.Bits() == 32 {
		return p.String()
	}
	return p.String() + " le 32"
}

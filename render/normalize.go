package render

import (
	"cmp"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"unicode"

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

// notice is a remark on one tunnel, or with tunnel 0 on the connection.
type notice struct {
	tunnel  int
	text    string
	warning bool
	hint    string
}

func (n *normalizer) refuse(t vpn.Tunnel, field, value, reason, hint string) {
	p := vpn.Problem{Connection: n.conn.Title(), Field: field, Value: value, Target: n.target.String(), Reason: reason, Hint: hint}
	if n.conn.Dual() || n.part > 0 && t.Number > 0 {
		p.Tunnel = t.Number
	}
	n.problems = append(n.problems, p)
}

// warn notices a value of a field that the cloud could have otherwise.
func (n *normalizer) warn(t vpn.Tunnel, field, text string) {
	x := notice{tunnel: t.Number, text: text, warning: true}
	if n.run.strict {
		x.hint = n.wayOut(field)
	}
	n.notices = append(n.notices, x)
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

func (n *normalizer) told(r Rule) bool {
	return (!r.Routed && !r.Unrouted || r.Routed == n.routed()) && (!r.Probed && !r.Unprobed || r.Probed == n.probed())
}

// merged are the notices of one level in order, those on both tunnels said once.
func (n *normalizer) merged(warning bool) []string {
	out := slices.Clone(n.conn.Notices)
	if warning {
		out = n.doubts()
	}
	for _, x := range n.notices {
		if x.warning != warning {
			continue
		}
		said := 0
		for _, y := range n.notices {
			if y.text == x.text {
				said++
			}
		}
		text := x.text
		if n.conn.Dual() && said < 2 && x.tunnel > 0 {
			text = fmt.Sprintf("tunnel %d: %s", x.tunnel, x.text)
		}
		if !slices.Contains(out, text) {
			out = append(out, text)
		}
	}
	return out
}

// doubts are the connection's own warnings, without what a removal is not about.
func (n *normalizer) doubts() []string {
	return slices.DeleteFunc(slices.Clone(n.conn.Warnings), func(text string) bool { return n.target.removes && text == vpn.BGPKeyUntold })
}

// refuseWarnings is what --strict does.
func (n *normalizer) refuseWarnings() {
	for _, text := range n.doubts() {
		n.refuse(vpn.Tunnel{}, "--strict", "", text, withoutStrict)
	}
	for _, x := range n.notices {
		if x.warning {
			n.refuse(vpn.Tunnel{Number: x.tunnel}, "--strict", "", x.text, cmp.Or(x.hint, withoutStrict))
		}
	}
}

const withoutStrict = "without --strict it is rendered, with this as a warning"

// weak notices what RFC 8247 and RFC 9395 advise against. It is never replaced.
func (n *normalizer) weak(t vpn.Tunnel) {
	var found []string
	add := func(is bool, what string) {
		if is {
			found = append(found, what)
		}
	}
	add(weakEncryption[t.IKE.Encryption], "IkeEncAlg "+t.IKE.Encryption.String())
	add(weakIntegrity[t.IKE.Integrity], "IkeAuthAlg md5")
	add(weakGroup[t.IKE.Group], "IkePfs "+t.IKE.Group.String())
	add(weakEncryption[t.ESP.Encryption], "IpsecEncAlg "+t.ESP.Encryption.String())
	add(weakIntegrity[t.ESP.Integrity], "IpsecAuthAlg md5")
	add(weakGroup[t.ESP.PFS], "IpsecPfs "+t.ESP.PFS.String())
	if len(found) > 0 {
		n.warn(t, "algorithms", "weak: "+strings.Join(found, ", ")+"; where both ends allow, use aes256, sha256, group14")
	}
}

var (
	weakEncryption = map[vpn.Encryption]bool{vpn.DES: true, vpn.TripleDES: true}
	weakIntegrity  = map[vpn.Integrity]bool{vpn.MD5: true}
	weakGroup      = map[vpn.Group]bool{vpn.MODP768: true, vpn.MODP1024: true, vpn.MODP1536: true, vpn.MODP2048256: true}
)

// label is the connection in a comment: a name is free text and is quoted, so
// that it stays on its line.
func (n *normalizer) label() string {
	quote := strconv.Quote
	if n.target.ASCII {
		quote = strconv.QuoteToASCII
	}
	title := n.conn.Title()
	if sanitized(title) != title {
		title = quote(title)
	}
	if n.conn.Label == "" && n.conn.Name != "" {
		title += " (" + quote(n.conn.Name) + ")"
	}
	return title
}

// name is what the connection's objects are called on the device: what the
// caller chose, or refused; else the id, fitted. A device with one tunnel of two
// has that tunnel's name for all.
func (n *normalizer) name() string {
	if n.part > 0 {
		return n.chosen() + "-" + strconv.Itoa(n.part)
	}
	return n.chosen()
}

func (n *normalizer) chosen() string {
	room := n.target.MaxName
	if n.conn.Dual() || n.part > 0 {
		room -= len("-1")
	}
	title := n.conn.Title()
	name := sanitized(title)
	if n.conn.Label == "" {
		return fitted(name, title, room)
	}
	if name != title {
		n.refuse(vpn.Tunnel{}, "--name", title, "a name has letters, digits, - and _ and begins with a letter", "choose another --name")
	}
	if len(name) > room {
		n.refuse(vpn.Tunnel{}, "--name", name, fmt.Sprintf("longer than the %d characters the device takes with what is appended", n.target.MaxName), "choose a shorter one with --name")
	}
	return name
}

// fitted shortens a name to the room there is. The checksum is of the whole
// title, so that names that begin alike stay apart.
func fitted(name, title string, room int) string {
	if len(name) <= room {
		return name
	}
	sum := fmt.Sprintf("-%08x", checksum(title))
	return strings.TrimRight(name[:room-len(sum)], "-") + sum
}

// sanitized makes an object name of any text. What is lost is made up for by
// a checksum, so that two texts never become one name.
func sanitized(title string) string {
	var b strings.Builder
	for _, r := range title {
		if r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r) || r == '-' || r == '_') {
			b.WriteRune(r)
		} else if s := b.String(); !strings.HasSuffix(s, "-") {
			b.WriteByte('-')
		}
	}
	name := b.String()
	if name == "" || !unicode.IsLetter(rune(name[0])) {
		name = "c-" + strings.TrimPrefix(name, "-")
	}
	if name != title {
		name = fmt.Sprintf("%s-%08x", strings.TrimSuffix(name, "-"), checksum(title))
	}
	return name
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

package fetch

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// settler turns a statement into a connection, or into the problems that keep
// it from being one.
type settler struct {
	*Options
	gateways *gateways
	said     statement
	own      Own
	title    string
	tunnel   int // the tunnel being settled, 0 for the connection
	dual     bool
	problems vpn.Problems
	warnings []string
	notices  []string
}

// problem notes a refusal of a field of the tunnel being settled.
func (s *settler) problem(name, value, reason, hint string) {
	p := vpn.Problem{Source: s.said.source, Connection: s.title, Field: name, Value: value, Reason: reason, Hint: hint}
	if s.dual {
		p.Tunnel = s.tunnel
	}
	if !slices.Contains(s.problems, p) {
		s.problems = append(s.problems, p)
	}
}

func (s *settler) warn(format string, args ...any) {
	s.warnings = append(s.warnings, fmt.Sprintf(format, args...))
}

func (s *settler) notice(format string, args ...any) {
	s.notices = append(s.notices, fmt.Sprintf(format, args...))
}

// settle decides all that the replies say of one connection. An absent value
// is Alibaba's documented default; the reply's own word always goes before.
func (s *settler) settle() (vpn.Connection, vpn.Problems) {
	c := vpn.Connection{
		Label: s.Name, ID: string(s.said.id), Name: string(s.said.name),
		VPNGatewayID: string(s.said.vpnGateway), CustomerGatewayID: string(s.said.customerGateway),
	}
	s.title = cmp.Or(c.Label, c.ID, c.Name)
	c.Region = ofZone(string(s.said.zone))
	if s.Own != nil {
		var err error
		if s.own, err = s.Own(c); err != nil {
			s.refused(err)
		}
	}
	c.CloudInitiates = s.boolean("EffectImmediately", s.said.effectImmediately, false)
	c.PeerSubnets = s.subnets(s.said.peerSubnet, "peer-subnet")
	c.CloudSubnets = s.subnets(s.said.cloudSubnet, "cloud-subnet")
	c.HealthCheck = s.healthCheck(s.said.healthCheck)

	tunnels := s.said.tunnels
	if len(tunnels) == 0 {
		tunnels = []tunnelStatement{s.said.top}
	}
	if len(tunnels) > 2 {
		s.problem("tunnels", strconv.Itoa(len(tunnels)), "a connection has one or two tunnels", "save the reply again")
		return c, s.problems
	}
	s.dual = len(tunnels) == 2
	numbers := s.numbers(tunnels)
	for i, t := range tunnels {
		s.tunnel = numbers[i]
		c.Tunnels = append(c.Tunnels, s.settleTunnel(t))
	}
	for _, d := range s.said.disputes {
		s.tunnel = d.tunnel
		if _, supplied := s.supplied(); supplied && d.name == "Psk" {
			continue
		}
		s.problem(d.name, "", d.reason, "save both again, at one time")
	}
	s.tunnel = 0
	s.unusedKeys(numbers)
	slices.SortStableFunc(c.Tunnels, func(a, b vpn.Tunnel) int { return cmp.Compare(a.Number, b.Number) })
	s.compareTop()
	c.Warnings, c.Notices = s.warnings, s.notices
	return c, s.problems
}

// refused takes over the problems of an error.
func (s *settler) refused(err error) {
	var several vpn.Problems
	var one vpn.Problem
	switch {
	case errors.As(err, &several):
		s.problems = append(s.problems, several...)
	case errors.As(err, &one):
		s.problems = append(s.problems, one)
	default:
		s.problems = append(s.problems, vpn.Problem{Connection: s.title, Reason: err.Error()})
	}
}

// numbers says which tunnel is the active one: by index, by role, else by the
// order of the reply, which is the console's.
func (s *settler) numbers(tunnels []tunnelStatement) []int {
	numbers := make([]int, len(tunnels))
	for i, t := range tunnels {
		n, known := t.number(i)
		if numbers[i] = n; !known {
			s.problem("Role", string(t.role+t.index), "neither master nor slave, 1 nor 2", "save the reply again")
		}
	}
	if len(numbers) == 2 && numbers[0] == numbers[1] {
		s.problem("Role", string(tunnels[0].role), "both tunnels claim the same role", "save the reply again")
	}
	if len(s.said.tunnels) == 1 {
		s.warn("the reply lists one tunnel of a connection that has two: the other is not configured here")
	}
	return numbers
}

func (s *settler) settleTunnel(said tunnelStatement) vpn.Tunnel {
	t := vpn.Tunnel{ID: string(said.id), Number: s.tunnel}
	if said.customerGateway != s.said.customerGateway {
		t.CustomerGatewayID = string(said.customerGateway)
	}
	if said.ike == nil {
		s.problem("IkeConfig", "", "the reply has none", "save the reply of DescribeVpnConnection or DownloadVpnConnectionConfig again")
		return t
	}
	if said.ipsec == nil {
		said.ipsec = &wireIPsec{}
	}
	cloud, peer := s.addresses(said)
	t.CloudAddress, t.PeerAddress = cloud.Address, peer.Address
	t.CloudIdentity = s.identity(said.cloudID, t.CloudAddress, "cloud-identity", cloudIDType)
	t.PeerIdentity = s.identity(said.peerID, t.PeerAddress, "peer-identity", peerIDType)
	s.checkSides(said, cloud, peer, t)
	t.PSK = s.key(string(said.ike.Psk))
	t.IKE = s.ike(said.ike)
	t.ESP = s.esp(said.ipsec)
	t.DPD = s.boolean("EnableDpd", said.dpd, true)
	t.NATT = s.boolean("EnableNatTraversal", said.natt, true)
	t.BGP = s.bgp(said)
	return t
}

// addresses resolves both ends' addresses. Each comes from the first of these
// that has it: --set, the tunnel's InternetIp, the gateway reply joined by id,
// Remote or Local of a Download reply, an IPv4 identity.
func (s *settler) addresses(said tunnelStatement) (cloud, peer address) {
	vpnGateway := string(cmp.Or(s.said.vpnGateway, text(said.cloudEnd.value)))
	customer := string(cmp.Or(said.customerGateway, s.said.customerGateway, text(said.peerEnd.value)))
	of := s.gateways.cloud[vpnGateway].addresses
	if ip := said.internetIP.value; ip != "" && of[0] != "" && !slices.Contains(of[:], ip) && !masked(ip) {
		s.problem(said.internetIP.name, ip, "VPN gateway "+vpnGateway+" has other addresses", "save both replies again, at one time")
	}
	cloud = s.resolve("cloud-address",
		candidate{s.answer("cloud-address"), true, true},
		candidate{said.internetIP, true, true},
		candidate{field{"InternetIp of " + vpnGateway, of[s.tunnel-1]}, true, true},
		candidate{said.cloudEnd, true, false},
		candidate{said.cloudID, false, false})
	peer = s.resolve("peer-address",
		candidate{s.answer("peer-address"), true, true},
		candidate{field{"IpAddress of " + customer, s.gateways.customer[customer].address}, true, true},
		candidate{said.peerEnd, true, false},
		candidate{said.peerID, false, false})
	s.differ(said.cloudEnd, cloud)
	s.differ(said.peerEnd, peer)
	s.require(cloud, "cloud address", "cloud-address", "DescribeVpnGateway", vpnGateway)
	s.require(peer, "peer address", "peer-address", "DescribeCustomerGateway", customer)
	if !peer.settled && peer.IP.IsPrivate() && !cloud.IP.IsPrivate() {
		s.warn("the peer's address %s is taken from its identity; a device behind NAT has another: the DescribeCustomerGateway reply tells", peer)
	}
	return cloud, peer
}

// differ notices an end of a Download reply that is not the address used.
func (s *settler) differ(end field, used address) {
	if ip, err := netip.ParseAddr(end.value); err == nil && used.settled && used.IP.IsValid() && ip != used.IP {
		s.warn("%s of the Download reply is %s, and %s is used, from %s", end.name, ip, used, used.field)
	}
}

// require refuses an address that nothing gave.
func (s *settler) require(a address, what, answer, operation, id string) {
	if a.Known() || a.refused {
		return
	}
	if s.dual {
		answer += "." + strconv.Itoa(s.tunnel)
	}
	s.problem(what, "", "no reply gives it, and the identity is not an IPv4 address",
		fmt.Sprintf("add the %s reply%s, or --set %s=A.B.C.D", operation, ofID(id), answer))
}

func ofID(id string) string {
	if id == "" {
		return ""
	}
	return " of " + id
}

// answer is the operator's own word for an address.
func (s *settler) answer(name string) field {
	names := []string{name + "." + strconv.Itoa(max(s.tunnel, 1)), name}
	for _, n := range names {
		if v, ok := s.Answers[n]; ok {
			return field{"--set " + n, v}
		}
	}
	for _, n := range names {
		if v, ok := s.own.Answers[n]; ok {
			return field{v.Place + " " + n, v.Value}
		}
	}
	return field{}
}

// checkSides refuses ends or identities that stand the wrong way round: which
// side the reply speaks for is then in doubt. An identity may be any address
// but the other end's. Gateways of a Download reply, which has no ids to join
// by, are recognised by their addresses.
func (s *settler) checkSides(said tunnelStatement, cloud, peer address, t vpn.Tunnel) {
	swapped := func(fields, why string) {
		s.problem(fields, "", "swapped: "+why,
			"compare with the connection in the console; if it really stands so, set it right there, else save the reply again")
	}
	switch {
	case cloud.settled && peer.settled && t.PeerIdentity.Value == cloud.String() && t.CloudIdentity.Value == peer.String():
		swapped("LocalId and RemoteId", fmt.Sprintf("the peer's identity is the cloud's address %s (%s), and the cloud's is the peer's %s (%s)", cloud, cloud.field, peer, peer.field))
	case cloud.settled && t.PeerIdentity.Value == cloud.String():
		swapped("LocalId and RemoteId", fmt.Sprintf("the peer's identity is the cloud's address %s (%s)", cloud, cloud.field))
	case peer.settled && t.CloudIdentity.Value == peer.String():
		swapped("LocalId and RemoteId", fmt.Sprintf("the cloud's identity is the peer's address %s (%s)", peer, peer.field))
	case cloud.IP.IsValid() && cloud.IP == peer.IP:
		s.problem("addresses", cloud.String(), fmt.Sprintf("both ends have it (%s, %s)", cloud.field, peer.field), "add the gateways' replies, or --set peer-address=A.B.C.D")
	}
	g := s.gateways
	if g.isCustomer(said.cloudEnd.value) && g.isCloud(said.peerEnd.value) {
		swapped("Local and Remote", "Remote is a customer gateway's address and Local a VPN gateway's")
	} else if s.said.vpnGateway == "" && g.isCustomer(said.cloudID.value) && g.isCloud(said.peerID.value) {
		swapped("LocalId and RemoteId", "RemoteId is a customer gateway's address and LocalId a VPN gateway's")
	}
}

// key settles the pre-shared key. Its value never enters a problem.
func (s *settler) key(psk string) vpn.Secret {
	if key, supplied := s.supplied(); supplied {
		return key
	}
	switch {
	case psk == "" && s.Placeholders, maskedKey(psk) && !s.Unmasked && s.Placeholders:
		return vpn.PlaceholderSecret(s.word("psk"))
	case psk == "":
		return vpn.Secret{}
	case maskedKey(psk) && !s.Unmasked:
		s.problem("Psk", "", maskedReason, maskedHint+"; if the key really is so, --unmasked takes it as it is; else --psk-file or --psk-env gives it")
	case len(psk) > 100:
		s.problem("Psk", "", "longer than the 100 characters Alibaba allows", "save the reply again")
	case strings.ContainsFunc(psk, func(r rune) bool { return r <= ' ' || r > '~' }):
		s.problem("Psk", "", "holds a blank, a control character or one beyond ASCII, which Alibaba does not allow", "save the reply again")
	}
	return vpn.NewSecret(psk)
}

// supplied is the operator's own key for the tunnel.
func (s *settler) supplied() (vpn.Secret, bool) {
	if key, ok := s.Keys.of(s.tunnel); ok {
		return key, true
	}
	return s.own.Keys.of(s.tunnel)
}

// unusedKeys refuses keys for tunnels that are not there.
func (s *settler) unusedKeys(numbers []int) {
	for _, keys := range []Keys{s.Keys, s.own.Keys} {
		for n := range keys {
			if n > 0 && !slices.Contains(numbers, n) {
				s.problem("Psk", "", fmt.Sprintf("a key is given for tunnel %d, which the connection has not", n), "give the one key without a number")
			}
		}
	}
}

func (s *settler) ike(w *wireIKE) vpn.IKE {
	return vpn.IKE{
		Version:    lookup(s, "IkeVersion", w.IkeVersion, versions, vpn.IKEv1),
		Mode:       lookup(s, "IkeMode", w.IkeMode, modes, vpn.Main),
		Encryption: lookup(s, "IkeEncAlg", w.IkeEncAlg, encryptions, vpn.AES128),
		Integrity:  lookup(s, "IkeAuthAlg", w.IkeAuthAlg, integrities, vpn.MD5),
		Group:      lookup(s, "IkePfs", w.IkePfs, groups, vpn.MODP1024),
		Lifetime:   s.lifetime("IkeLifetime", w.IkeLifetime),
	}
}

func (s *settler) esp(w *wireIPsec) vpn.ESP {
	return vpn.ESP{
		Encryption: lookup(s, "IpsecEncAlg", w.IpsecEncAlg, encryptions, vpn.AES128),
		Integrity:  lookup(s, "IpsecAuthAlg", w.IpsecAuthAlg, integrities, vpn.MD5),
		PFS:        lookup(s, "IpsecPfs", w.IpsecPfs, pfsGroups, vpn.MODP1024),
		Lifetime:   s.lifetime("IpsecLifetime", w.IpsecLifetime),
	}
}

// maxLifetime is Alibaba's limit and default for both phases.
const maxLifetime = 86400

func (s *settler) lifetime(name string, said text) vpn.Lifetime {
	seconds := maxLifetime
	if said != "" {
		n, err := strconv.Atoi(string(said))
		if err != nil || n < 0 || n > maxLifetime {
			s.problem(name, string(said), fmt.Sprintf("want whole seconds from 0 to %d", maxLifetime), "save the reply again")
		}
		seconds = n
	}
	return vpn.LifetimeOf(seconds)
}

func (s *settler) boolean(name string, said text, absent bool) bool {
	if said == "" {
		return absent
	}
	v, err := strconv.ParseBool(strings.ToLower(string(said)))
	if err != nil {
		s.problem(name, string(said), "want true or false", "save the reply again")
	}
	return v
}

// subnets settles a comma-separated list of networks.
func (s *settler) subnets(f field, word string) []vpn.Subnet {
	if f.value == "" {
		s.problem(f.name, "", "the reply has none", "save the reply again")
		return nil
	}
	var out []vpn.Subnet
	for i, part := range strings.Split(f.value, ",") {
		part = strings.TrimSpace(part)
		n := vpn.Subnet{}
		switch prefix, err := netip.ParsePrefix(part); {
		case part == "":
			s.problem(f.name, f.value, "an empty place between commas", "correct the list in the reply")
		case masked(part) && s.Placeholders:
			n.Word = fmt.Sprintf("REPLACE-%s-%d", word, i+1)
		case masked(part):
			s.problem(f.name, part, maskedReason, maskedHint)
		case err != nil || !prefix.Addr().Is4() || prefix != prefix.Masked():
			s.problem(f.name, part, "not an IPv4 network such as 10.0.0.0/8", "correct the network in the reply")
		case slices.Contains(out, vpn.Subnet{Prefix: prefix}):
			s.problem(f.name, part, "listed twice", "list it once")
		default:
			n.Prefix = prefix
		}
		out = append(out, n)
	}
	if len(out) > 1 && slices.ContainsFunc(out, func(n vpn.Subnet) bool { return n.Word == "" && n.Prefix.IsValid() && n.Prefix.Bits() == 0 }) {
		s.problem(f.name, f.value, "0.0.0.0/0 stands beside other networks, which it holds already", "use 0.0.0.0/0 alone or the networks alone")
	}
	return out
}

// compareTop notices where the connection-level settings say something else
// than the tunnels, whose word holds.
func (s *settler) compareTop() {
	if len(s.said.tunnels) == 0 {
		return
	}
	var differ []string
	note := func(name string, top text, tunnel func(t tunnelStatement) text) {
		if top == "" || name == "Psk" && len(s.Keys)+len(s.own.Keys) > 0 {
			return
		}
		for _, t := range s.said.tunnels {
			if !strings.EqualFold(string(tunnel(t)), string(top)) {
				differ = append(differ, name)
				return
			}
		}
	}
	compare(ikeSettings, s.said.top.ike, func(t tunnelStatement) *wireIKE { return t.ike }, note)
	compare(ipsecSettings, s.said.top.ipsec, func(t tunnelStatement) *wireIPsec { return t.ipsec }, note)
	if len(differ) > 0 {
		s.notice("connection-level %s differ from the tunnels' own, which are used", strings.Join(differ, ", "))
	}
}

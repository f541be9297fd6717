package render

import (
	"net/netip"
	"regexp"
	"strings"

	"peerconf/vpn"
)

// Dialect is all that is particular to one kind of device. It is a table: a
// word that is not in it is one the device does not have.
type Dialect struct {
	Name    string // as --target takes it
	Title   string
	Comment string // starts a comment line
	ASCII   bool   // comments may not hold other characters
	Files   []File
	// Removal takes off again what Files put on. It names objects and places
	// and never a key, so algorithms, lifetimes and versions refuse it nothing.
	Removal []File
	// Hierarchical says what Files say in the device's other form, if it has
	// two.
	Hierarchical []File
	MaxName      int // characters in the name of an object, -1 or -2 of a tunnel included

	// Newest is the version assumed where the target names none: of software
	// that one upgrades. A router's is whatever it is.
	Newest Version

	Oldest Version // the first whose words are known
	Older  string  // why no older one's are

	// Least is what the version is at least where the target names none: the
	// words that older ones had are not for a device that says nothing.
	Least Version

	// OneChild is the version from which on a device that makes an SA for each
	// pair of subnets can make one for all under IKEv2, as the cloud wants it.
	OneChild Version

	// By IKE version: what IKE speaks for itself, and for ESP.
	IKE, ESP Phases

	Identities map[vpn.Version]map[vpn.IDKind]Identity

	// Fragmentation is what becomes of IKE messages too long for one packet
	// (RFC 7383, with IKEv1 a vendor's extension). Those with a key in place of
	// certificates have a few hundred bytes, so it is left at the default.
	Fragmentation map[vpn.Version]Default

	// Unlimited is what ends no SA for the bytes it has carried. The cloud's
	// limit is time alone. Devices that say nothing have no such limit unless
	// they are told one: life_bytes, lifebytes, ipsec-max-bytes (2^63) and
	// lifetime-kilobytes.
	Unlimited string

	// Key writes a pre-shared key so that the device reads back the same
	// bytes, or says why it cannot be written.
	Key     func(key string, version vpn.Version) (text, refused string)
	KeyWord string                                  // where a word stands for the key, %s
	BGPKey  func(key string) (text, refused string) // the same for the MD5 key of BGP

	// Peering is what the device holds once for each pair of addresses, where
	// that is more than the key: connections that share them have to agree.
	Peering *Peering

	// Of connections with subnets, those whose tunnels cannot do without an
	// interface, and those whose tunnels cannot have one.
	Interfaced, Policed Rule

	// Apart is why no two connections of a device may expect one identity of
	// the cloud's, where that is so.
	Apart string

	Answers  []Answer
	Lacks    map[string]string // answers of other devices that this one can do nothing with: why
	Refusals []Rule            // what the device cannot do though it has the words
	Notices  []Rule
	Residue  []Rule // notices of a removal
}

// Peering is a device's object for a peer's address.
type Peering struct {
	Of     func(vpn.Tunnel) string // what it says
	Reason string                  // why two cannot be
}

// File is one file a dialect writes.
type File struct {
	Suffix   string // follows the connection's name
	Template string
	Note     []string                                  // what to do with it; %[1]s is its name
	Routed   string                                    // and where there are networks to route
	When     func(c vpn.Connection, t vpn.Tunnel) bool // of which connections, by the first tunnel; nil: of all
	Form     func(text []byte) []byte                  // rewrites what the template prints; nil: it stays
}

func (f File) of(c vpn.Connection) bool { return f.When == nil || f.When(c, c.Tunnels[0]) }

// Phases holds the words of one phase for each IKE version.
type Phases map[vpn.Version]Words

// Words are one phase's words and limits.
type Words struct {
	Encryption map[vpn.Encryption]Word
	Integrity  map[vpn.Integrity]Word
	Group      map[vpn.Group]Word
	Lifetime   Range // seconds
}

// Word is how a device spells an algorithm, or why it cannot.
type Word struct {
	Text   string
	Since  Version // first version that has it
	Until  Version // first version that lacks it
	Why    string  // the reason there is no Text, or behind Since and Until
	Unless string  // the answer, NAME=VALUE, by which any version may have it
	Hint   string  // the way out, where the common one is none
}

// Default is a setting that is right unsaid.
type Default struct {
	On    bool
	Since Version // on from this version, off before
	Word  string  // what would say so
	Why   string  // it is not said, where the default is off, or cannot be
}

// Range is what a device accepts, both ends included.
type Range struct {
	Min, Max int
	Unit     string // what the device calls the setting
}

// Identity is how a device writes an IKE identity, %s is the value, or why it
// cannot.
type Identity struct {
	Peer  string // its own
	Cloud string // the other end's
	Why   string // the reason there are none
}

// Answer is a device-local value that no reply can know.
type Answer struct {
	Name          string
	Meaning       string
	Form          interface{ MatchString(string) bool }
	Unique        bool    // no two tunnels of a run may have one value; numbers never may
	Number        *Range  // counts up: each further tunnel of a run takes the next
	Fewer         Version // before this version a number ends at FewerMax
	FewerMax      int
	PerConnection bool                                        // tunnels share it: NAME.1 and NAME.2 are refused
	Uplink        bool                                        // it is the interface that a tunnel leaves by
	Probe         bool                                        // it is a probe's, and asked for only where there is one
	Default       func(c vpn.Connection, t vpn.Tunnel) string // nil: there is no safe default
	Fallback      string                                      // what the default is, in words
	Must          func(c vpn.Connection, t vpn.Tunnel) string // the one value that works: a fact to check, not to print
	Optional      bool                                        // without it nothing is printed for it
	Barred        []Rule                                      // who cannot have an optional one though they say it
	Unless        string                                      // the optional one, listed before, in whose place it stands
	When          func(c vpn.Connection, t vpn.Tunnel) bool   // nil: always
	Removal       func(c vpn.Connection, t vpn.Tunnel) bool   // when a removal asks for it too; nil: never
}

// key is the answer's name as templates write it.
func (a Answer) key() string { return strings.ReplaceAll(a.Name, "-", "") }

// Rule is a statement about connections that a predicate picks out.
type Rule struct {
	When  func(c vpn.Connection, t vpn.Tunnel) bool
	Since Version // the rule holds from this version of the device on
	Until Version // and up to this one
	Doubt bool    // it refuses too where the version is not known
	// Warning marks a notice of what may not work, or is weak, until somebody
	// acts who can: its hint says how it goes away. The others inform, be it of
	// what to look after on every device.
	Warning  bool
	Routed   bool // it is told only where there are networks to route, by --set cloud-routes or as subnets
	Unrouted bool // or only where there are none
	Probed   bool // it is told only where a probe watches the first tunnel, by --set probe-address
	Unprobed bool // or only where none does
	Field    string
	Reason   string
	Hint     string
	Mend     func(*vpn.Tunnel) // a refusal's: what the cloud has to change
}

// dialects in the order help lists them.
var dialects = []*Dialect{&strongswan, &strongswanIPsec, &libreswan, &ciscoIOS, &ciscoASA, &juniperSRX}

// commonNotices are for every device.
var commonNotices = []Rule{
	{When: isAggressive, Warning: true, Reason: "weak: IkeMode aggressive shows a hash of the key to whoever listens", Hint: toIKEv2},
	{When: isIKEv1, Reason: "ikev1 is deprecated (RFC 9395): where both ends allow, use ikev2"},
	{When: noPFS, Reason: "IpsecPfs disabled: where both ends allow, use group14"},
	// The device finds its key in any case: charon by the configured identities
	// (phase1.c), pluto by the connection's (keys.c), IOS by the keyring's
	// address. What the cloud's end does with a name is in doubt.
	{When: both(isMain, not(bothAddresses)), Warning: true, Reason: "a name as identity in IKEv1 main mode: the cloud recommends aggressive mode with it, or ikev2", Hint: toIKEv2},
	{When: both(severalPairs, isIKEv1), Warning: true, Reason: "several subnets with IKEv1: the cloud supports them with IKEv2 only for sure", Hint: toIKEv2},
	{When: both(not(isIKEv1), saysAggressive), Reason: "IkeMode aggressive means nothing with ikev2 and is left out"},
	{When: both(policyBased, allOfCloud), Reason: "the cloud's subnet is 0.0.0.0/0: all traffic of the peer's subnets is meant to go to the cloud; no route for it is written"},
	{When: both(policyBased, allOfPeer), Reason: "the peer's subnet is 0.0.0.0/0: whatever this device routes to the cloud's subnets goes into the tunnel, from whomever"},
	{When: noNATT, Warning: true, Reason: "the cloud has NAT traversal off: no NAT may stand between the ends", Hint: "set EnableNatTraversal of the connection to true"},
	{When: hasBGP, Reason: "BGP: a network is announced while this device's routing table has exactly it, and a default route is taken only with --set accept=0.0.0.0/0"},
	{When: hasBGP, Reason: "BGP: the VPN gateway has to have automatic route advertisement on (AutoPropagate), or the VPC and this side do not hear of each other"},
	{When: hasBGP, Reason: "BGP: a dead session is given up after 30 s, or earlier if the cloud asks for less"},
	{When: both(isDual, hasBGP), Reason: "BGP: the second tunnel is the standby: its routes have the lower local preference here and the longer AS path there"},
	{When: twoPeers, Reason: "the tunnels end on two addresses of this side: where those are two devices, --tunnel 1 and --tunnel 2 write what each has"},
	{When: both(isDual, not(hasDPD), not(hasBGP)), Warning: true, Hint: "set EnableDpd of the connection to true", Reason: "DPD is off: that a tunnel's other end has gone is noticed when its SAs expire, and the second takes over no earlier"},
}

const (
	toRoutes = "leave --mode out for a crypto map, or set LocalSubnet and RemoteSubnet of the connection to 0.0.0.0/0 and name the cloud's networks with --set cloud-routes"
	toIKEv2  = "set IkeVersion of the connection to ikev2"
	onePairs = "give each pair of subnets its own connection"
)

// commonResidue is for every removal.
var commonResidue = []Rule{
	{When: alwaysHolds, Reason: "this takes off what is rendered of the same reply with the same answers: if either has changed since, use the old ones"},
}

// fromPeer: an address of the way to the cloud, which a device would choose by
// itself, is in no selector.
var fromPeer = Rule{When: both(selective, not(allOfPeer)), Reason: "the tunnel's interface drops what does not come from the peer's subnets: what this device itself sends needs a source address in them"}

// oneKeyPerIdentity refuses what a daemon that finds keys by identity would
// mix up.
var oneKeyPerIdentity = Rule{
	When: both(isActive, oneCloudID, keysDiffer), Field: "LocalId and RemoteId",
	Reason: "both tunnels' cloud ends have one identity but two keys, and keys are found by identity",
	Hint:   "give the tunnels one key, or each cloud end its own identity",
}

func oneCloudID(c vpn.Connection, _ vpn.Tunnel) bool {
	return c.Dual() && c.Tunnels[0].CloudIdentity == c.Tunnels[1].CloudIdentity
}
func keysDiffer(c vpn.Connection, _ vpn.Tunnel) bool { return c.Tunnels[0].PSK != c.Tunnels[1].PSK }

func bothAddresses(_ vpn.Connection, t vpn.Tunnel) bool {
	return isAddress[t.PeerIdentity.Kind] && isAddress[t.CloudIdentity.Kind]
}

var isAddress = map[vpn.IDKind]bool{vpn.IDIPv4: true, vpn.IDIPv6: true}

func hasKeyID(_ vpn.Connection, t vpn.Tunnel) bool {
	return t.PeerIdentity.Kind == vpn.IDKeyID || t.CloudIdentity.Kind == vpn.IDKeyID
}

// peerIsAddress tells whether the peer's identity is an IPv4 address, or a masked one.
func peerIsAddress(_ vpn.Connection, t vpn.Tunnel) bool { return t.PeerIdentity.Kind == vpn.IDIPv4 }

func saysAggressive(_ vpn.Connection, t vpn.Tunnel) bool { return t.IKE.Mode == vpn.Aggressive }
func allOfCloud(c vpn.Connection, _ vpn.Tunnel) bool {
	return len(c.CloudSubnets) == 1 && c.CloudSubnets[0].Word == "" && c.CloudSubnets[0].Prefix.Bits() == 0
}

func allOfPeer(c vpn.Connection, _ vpn.Tunnel) bool {
	return len(c.PeerSubnets) == 1 && c.PeerSubnets[0].Word == "" && c.PeerSubnets[0].Prefix.Bits() == 0
}

// hasBGP: subnets that are not 0.0.0.0/0 leave no room for a session, and are
// refused unless they are masked.
func hasBGP(c vpn.Connection, t vpn.Tunnel) bool { return t.BGP != nil && c.RouteBased() }

// guomi stands in every table for China's national algorithms.
var guomi = Word{
	Why:  "GuoMi: the cloud wants certificates with it, and a reply carries none of the peer's",
	Hint: "no target has it: use a VPN gateway of type Normal instead of NationalStandard",
}

// The forms an answer may have. None lets a quote, a blank or a comment sign
// into the text.
var (
	formWord      = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9/.:_-]*$`)
	formNumber    = regexp.MustCompile(`^(0|[1-9][0-9]{0,9})$`)
	formName      = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,30}$`)
	formInterface = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]{0,14}$`)
	formAddress   = form(func(s string) bool { return ipv4(s).IsValid() })
	formLocal     = form(func(s string) bool { return s == "%any" || s == "%defaultroute" || ipv4(s).IsValid() })
	formNetworks  = regexp.MustCompile(`^(none|any|[0-9./]+(,[0-9./]+)*)$`) // whether they are networks is looked at later
)

// form is one that takes more than a pattern to tell.
type form func(string) bool

// MatchString is that of a regexp.Regexp.
func (f form) MatchString(s string) bool { return f(s) }

// ipv4 reads an address; what is none is not valid.
func ipv4(s string) netip.Addr {
	if a, err := netip.ParseAddr(s); err == nil && a.Is4() {
		return a
	}
	return netip.Addr{}
}

// Predicates that rules and answers share.
func static(c vpn.Connection, t vpn.Tunnel) bool { // routes are the operator's
	return routeBased(c, t) && allOfCloud(c, t) && t.BGP == nil
}
func routeBased(c vpn.Connection, _ vpn.Tunnel) bool  { return c.RouteBased() || c.Interfaces }
func policyBased(c vpn.Connection, t vpn.Tunnel) bool { return !routeBased(c, t) }
func hasSubnets(c vpn.Connection, _ vpn.Tunnel) bool  { return !c.RouteBased() }
func selective(c vpn.Connection, _ vpn.Tunnel) bool   { return !c.RouteBased() && c.Interfaces } // subnets select what interfaces take
func isIKEv1(_ vpn.Connection, t vpn.Tunnel) bool     { return t.IKE.Version == vpn.IKEv1 }
func isAggressive(c vpn.Connection, t vpn.Tunnel) bool {
	return isIKEv1(c, t) && t.IKE.Mode == vpn.Aggressive
}
func isMain(c vpn.Connection, t vpn.Tunnel) bool { return isIKEv1(c, t) && !isAggressive(c, t) }
func severalPairs(c vpn.Connection, _ vpn.Tunnel) bool {
	return len(c.PeerSubnets)*len(c.CloudSubnets) > 1
}
func isDual(c vpn.Connection, _ vpn.Tunnel) bool { return c.Dual() }
func twoPeers(c vpn.Connection, _ vpn.Tunnel) bool {
	return c.Dual() && c.Tunnels[0].PeerAddress != c.Tunnels[1].PeerAddress
}
func isActive(_ vpn.Connection, t vpn.Tunnel) bool { return t.Number == 1 }
func hasDPD(_ vpn.Connection, t vpn.Tunnel) bool   { return t.DPD }
func noPFS(_ vpn.Connection, t vpn.Tunnel) bool    { return t.ESP.PFS == vpn.NoGroup }
func noNATT(_ vpn.Connection, t vpn.Tunnel) bool   { return !t.NATT }

func alwaysHolds(vpn.Connection, vpn.Tunnel) bool { return true }

func both(conditions ...func(vpn.Connection, vpn.Tunnel) bool) func(vpn.Connection, vpn.Tunnel) bool {
	return func(c vpn.Connection, t vpn.Tunnel) bool {
		for _, holds := range conditions {
			if !holds(c, t) {
				return false
			}
		}
		return true
	}
}

// outsideAddress is for devices that send an address of their own as identity,
// whatever the cloud expects.
func outsideAddress(when func(vpn.Connection, vpn.Tunnel) bool) Answer {
	return Answer{Name: "outside-address", Form: formAddress, When: when, Fallback: "not checked",
		Must:    func(_ vpn.Connection, t vpn.Tunnel) string { return t.PeerIdentity.Value },
		Meaning: "the outside interface's own address, behind NAT the private one, which the device sends as its identity"}
}

// constant is the default of an answer.
func constant(s string) func(vpn.Connection, vpn.Tunnel) string {
	return func(vpn.Connection, vpn.Tunnel) string { return s }
}

func not(condition func(vpn.Connection, vpn.Tunnel) bool) func(vpn.Connection, vpn.Tunnel) bool {
	return func(c vpn.Connection, t vpn.Tunnel) bool { return !condition(c, t) }
}

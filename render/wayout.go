package render

import (
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"peerconf/vpn"
)

// wayOut is the hint of a refusal that the cloud can take away: the command
// that changes its side to what all targets of the run have.
func (n *normalizer) wayOut(field string) string {
	if n.way == nil {
		command := ""
		if mended, ok := n.mended(); ok && !n.preview() {
			command = n.command(mended)
		}
		n.way = &command
	}
	if *n.way == "" {
		return fmt.Sprintf("choose another value of %s; peerconf targets %s lists what it has", field, n.target.Name)
	}
	return *n.way
}

// preview tells whether words stand in for identities, which no command is to
// set.
func (n *normalizer) preview() bool {
	return slices.ContainsFunc(n.conn.Tunnels, func(t vpn.Tunnel) bool {
		return strings.HasPrefix(t.CloudIdentity.Value, "REPLACE-") || strings.HasPrefix(t.PeerIdentity.Value, "REPLACE-")
	})
}

// What the cloud is to change to, best first.
var (
	bestEncryption = []vpn.Encryption{vpn.AES256, vpn.AES192, vpn.AES128}
	bestIntegrity  = []vpn.Integrity{vpn.SHA256, vpn.SHA384, vpn.SHA512, vpn.SHA1}
	bestGroup      = []vpn.Group{vpn.MODP2048, vpn.MODP1536, vpn.MODP1024}
)

const bestLifetime = 86400

// mended is the connection as the cloud has to have it, or false where no
// value of Alibaba's would do. IKEv2 takes the place of IKEv1 where devices
// can keep with it what they would have to weaken without.
func (n *normalizer) mended() (vpn.Connection, bool) {
	own, good := n.mendedFrom(n.conn)
	if good && !weakened(n.conn, own) {
		return own, true
	}
	if c := asIKEv2(n.conn); !n.refusesMore(c) {
		if v2, fine := n.mendedFrom(c); fine && (!good || !weakened(n.conn, v2)) {
			return v2, true
		}
	}
	return own, good
}

func (n *normalizer) mendedFrom(c vpn.Connection) (vpn.Connection, bool) {
	c.Tunnels = slices.Clone(c.Tunnels)
	good := true
	for i := range c.Tunnels {
		good = n.mend(c, &c.Tunnels[i]) && good
	}
	return c, good
}

func asIKEv2(c vpn.Connection) vpn.Connection {
	c.Tunnels = slices.Clone(c.Tunnels)
	for i := range c.Tunnels {
		c.Tunnels[i].IKE.Version, c.Tunnels[i].IKE.Mode = vpn.IKEv2, vpn.Main
	}
	return c
}

// refusesMore tells whether a target refuses the connection as another one
// would be, though not as it is, for what no command mends.
func (n *normalizer) refusesMore(c vpn.Connection) bool {
	for _, d := range n.run.targets {
		for _, r := range d.Refusals {
			certain, possible := d.holds(r.Since, r.Until)
			for i, t := range c.Tunnels {
				if r.Mend == nil && (certain || possible && r.Doubt) && r.When(c, t) && !r.When(n.conn, n.conn.Tunnels[i]) {
					return true
				}
			}
		}
	}
	return false
}

// weakened tells whether a value is weaker than it was.
func weakened(was, is vpn.Connection) bool {
	for i, t := range is.Tunnels {
		o := was.Tunnels[i]
		if weaker(strongEncryption, o.IKE.Encryption, t.IKE.Encryption) || weaker(strongIntegrity, o.IKE.Integrity, t.IKE.Integrity) ||
			weaker(strongGroup, o.IKE.Group, t.IKE.Group) || weaker(strongEncryption, o.ESP.Encryption, t.ESP.Encryption) ||
			weaker(strongIntegrity, o.ESP.Integrity, t.ESP.Integrity) || weaker(strongGroup, o.ESP.PFS, t.ESP.PFS) {
			return true
		}
	}
	return false
}

// weaker compares places in a list of values, the weakest first.
func weaker[K comparable](list []K, was, is K) bool {
	return slices.Index(list, is) < slices.Index(list, was)
}

var (
	strongEncryption = []vpn.Encryption{vpn.DES, vpn.TripleDES, vpn.AES128, vpn.AES192, vpn.AES256}
	strongIntegrity  = []vpn.Integrity{vpn.MD5, vpn.SHA1, vpn.SHA256, vpn.SHA384, vpn.SHA512}
	strongGroup      = []vpn.Group{vpn.NoGroup, vpn.MODP768, vpn.MODP1024, vpn.MODP1536, vpn.MODP2048256, vpn.MODP2048}
)

// mend keeps what all targets of the run accept.
func (n *normalizer) mend(c vpn.Connection, t *vpn.Tunnel) bool {
	v := t.IKE.Version
	good := pick(n, &t.IKE.Encryption, bestEncryption, weakEncryption, func(d Target) map[vpn.Encryption]Word { return d.IKE[v].Encryption }) &&
		pick(n, &t.IKE.Integrity, bestIntegrity, weakIntegrity, func(d Target) map[vpn.Integrity]Word { return d.IKE[v].Integrity }) &&
		pick(n, &t.IKE.Group, bestGroup, weakGroup, func(d Target) map[vpn.Group]Word { return d.IKE[v].Group }) &&
		pick(n, &t.ESP.Encryption, bestEncryption, weakEncryption, func(d Target) map[vpn.Encryption]Word { return d.ESP[v].Encryption }) &&
		pick(n, &t.ESP.Integrity, bestIntegrity, weakIntegrity, func(d Target) map[vpn.Integrity]Word { return d.ESP[v].Integrity }) &&
		n.pickPFS(t)
	for _, d := range n.run.targets {
		for _, r := range d.Refusals {
			certain, possible := d.holds(r.Since, r.Until)
			if r.Mend != nil && (certain || possible && r.Doubt) && r.When(c, *t) {
				r.Mend(t)
			}
		}
		t.IKE.Lifetime = within(d.IKE[v].Lifetime, t.IKE.Lifetime)
		t.ESP.Lifetime = within(d.ESP[v].Lifetime, t.ESP.Lifetime)
	}
	pfs := t.ESP.PFS
	return good && n.pickPFS(t) && t.ESP.PFS == pfs
}

func (n *normalizer) pickPFS(t *vpn.Tunnel) bool {
	return t.ESP.PFS == vpn.NoGroup ||
		pick(n, &t.ESP.PFS, bestGroup, weakGroup, func(d Target) map[vpn.Group]Word { return d.ESP[t.IKE.Version].Group })
}

// pick replaces a value that a target refuses by the best that all are sure to
// have, else by the best that some version of each has.
func pick[K comparable](n *normalizer, value *K, best []K, weak map[K]bool, table func(Target) map[K]Word) bool {
	all := func(k K, sure bool) bool {
		return !slices.ContainsFunc(n.run.targets, func(d Target) bool {
			w := table(d)[k]
			certain, possible := n.has(d, w)
			return w.Text == "" || !possible || sure && !certain
		})
	}
	strict := n.run.strict
	if all(*value, strict) && !(strict && weak[*value]) {
		return true
	}
	for _, d := range n.run.targets {
		if table(d)[*value].Hint != "" {
			return false // it has a way out of its own
		}
	}
	for _, sure := range []bool{true, strict} {
		for _, k := range best {
			if all(k, sure) && !(strict && weak[k]) {
				*value = k
				return true
			}
		}
	}
	return false
}

func within(r Range, l vpn.Lifetime) vpn.Lifetime {
	if s := l.Seconds(); s < r.Min || s > r.Max {
		return vpn.LifetimeOf(bestLifetime)
	}
	return l
}

// command is what changes the cloud's side. Groups of settings are sent whole:
// the API documents that a pre-shared key left out of them is replaced by a
// random one, and not what becomes of the others.
//
// The parameters are those of ModifyVpnConnectionAttribute, and for what is
// attached to no VPN gateway of ModifyVpnAttachmentAttribute
// (alibabacloud-go/vpc-20160428). The aliyun CLI knows nothing inside
// TunnelOptionsSpecification, hence --force; it is sent as a form, hence POST.
func (n *normalizer) command(c vpn.Connection) string {
	id, region := c.ID, c.Region
	if region == "" {
		region = n.run.region
	}
	fill := []string{"the present key in " + keyVariables(c, n.conn)}
	if !plainWord.MatchString(id) {
		id, fill = "vco-…", append(fill, "the connection's id in place of vco-…")
	}
	if !plainWord.MatchString(region) {
		region, fill = "REGION", append(fill, "the connection's region in place of REGION")
	}
	operation, attached := "ModifyVpnConnectionAttribute", c.ID != "" && c.VPNGatewayID == ""
	if attached {
		operation = "ModifyVpnAttachmentAttribute"
	}
	args := []string{"aliyun vpc", operation, "--RegionId", region, "--VpnConnectionId", id}
	if c.Dual() {
		args = append(args, dualArguments(c, n.conn, attached)...)
	} else {
		args = append(args, singleArguments(c.Tunnels[0], n.conn.Tunnels[0])...)
	}
	if !strings.Contains(strings.Join(args, " "), "${PSK") {
		fill = fill[1:]
	}
	prose := "run this, save the reply again, then render again: "
	if len(fill) > 0 {
		prose = "with " + strings.Join(fill, ", ") + ", " + prose
	}
	return prose + strings.Join(args, " ")
}

var plainWord = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_.@/-]*$`)

// keyVariables names the shell variables that take the keys.
func keyVariables(c, was vpn.Connection) string {
	if !c.Dual() {
		text := "$PSK"
		if strings.ContainsAny(c.Tunnels[0].PSK.Reveal(), `"\`) {
			text += ` (\ before each " and \ of it, as in JSON)`
		}
		return text
	}
	var out []string
	for i, t := range c.Tunnels {
		if t.IKE != was.Tunnels[i].IKE || t.ESP != was.Tunnels[i].ESP {
			out = append(out, "$PSK_"+strconv.Itoa(t.Number))
		}
	}
	return strings.Join(out, " and ")
}

func singleArguments(t, was vpn.Tunnel) (out []string) {
	if t.IKE != was.IKE {
		out = append(out, "--IkeConfig", `'{"Psk":"'"${PSK:?}"'",`+inQuotes(ikeSettings(t))+`}'`)
	}
	if t.ESP != was.ESP {
		out = append(out, "--IpsecConfig", `'{`+inQuotes(espSettings(t))+`}'`)
	}
	return out
}

// inQuotes is JSON between single quotes of a shell.
func inQuotes(settings []setting) string {
	var out []string
	for _, s := range settings {
		value, _ := json.Marshal(s.value)
		out = append(out, fmt.Sprintf("%q:%s", s.name, value))
	}
	return strings.ReplaceAll(strings.Join(out, ","), "'", `'\''`)
}

func dualArguments(c, was vpn.Connection, attached bool) (out []string) {
	place := 0
	for i, t := range c.Tunnels {
		if t.IKE == was.Tunnels[i].IKE && t.ESP == was.Tunnels[i].ESP {
			continue
		}
		place++
		add := func(name, value string) {
			out = append(out, fmt.Sprintf("--TunnelOptionsSpecification.%d.%s", place, name), value)
		}
		if plainWord.MatchString(t.ID) {
			add("TunnelId", t.ID)
		}
		if attached {
			add("TunnelIndex", strconv.Itoa(t.Number))
		} else {
			add("Role", map[int]string{1: "master", 2: "slave"}[t.Number])
		}
		add("TunnelIkeConfig.Psk", fmt.Sprintf(`"${PSK_%d:?}"`, t.Number))
		for _, s := range ikeSettings(t) {
			add("TunnelIkeConfig."+s.name, quoted(s))
		}
		for _, s := range espSettings(t) {
			add("TunnelIpsecConfig."+s.name, quoted(s))
		}
	}
	return append(out, "--method", "POST", "--force")
}

func quoted(s setting) string {
	text := fmt.Sprint(s.value)
	if plainWord.MatchString(text) {
		return text
	}
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}

// setting is one of the cloud's, as its API spells it.
type setting struct {
	name  string
	value any
}

func ikeSettings(t vpn.Tunnel) []setting {
	return []setting{
		{"IkeVersion", t.IKE.Version.String()}, {"IkeMode", t.IKE.Mode.String()},
		{"IkeEncAlg", t.IKE.Encryption.String()}, {"IkeAuthAlg", t.IKE.Integrity.String()},
		{"IkePfs", t.IKE.Group.String()}, {"IkeLifetime", t.IKE.Lifetime.Seconds()},
		{"LocalId", t.CloudIdentity.Value}, {"RemoteId", t.PeerIdentity.Value}, // the API speaks from the cloud's side
	}
}

func espSettings(t vpn.Tunnel) []setting {
	return []setting{
		{"IpsecEncAlg", t.ESP.Encryption.String()}, {"IpsecAuthAlg", t.ESP.Integrity.String()},
		{"IpsecPfs", t.ESP.PFS.String()}, {"IpsecLifetime", t.ESP.Lifetime.Seconds()},
	}
}

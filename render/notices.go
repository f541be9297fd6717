package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"peerconf/vpn"
)

// notice is a remark on one tunnel, or with tunnel 0 on the connection.
type notice struct {
	tunnel  int
	text    string
	warning bool
	hint    string
}

// warn notices a value of a field that the cloud could have otherwise.
func (n *normalizer) warn(t vpn.Tunnel, field, text string) {
	x := notice{tunnel: t.Number, text: text, warning: true}
	if n.run.strict {
		x.hint = n.wayOut(field)
	}
	n.notices = append(n.notices, x)
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

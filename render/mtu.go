package render

import (
	"fmt"
	"regexp"
	"strconv"

	"peerconf/vpn"
)

// cloudMTU is what Alibaba's documents want of the customer's gateway at most.
const cloudMTU = 1400

// pathMTU is an answer that every device takes: with another, a packet of the
// cloud's limit may not fit the way to it.
var pathMTU = Answer{
	Name: "path-mtu", Form: regexp.MustCompile(`^([7-9][0-9]{2}|[1-9][0-9]{3})$`),
	Default: constant("1500"), Fallback: "1500",
	Meaning: "the largest packet in bytes that goes unfragmented between this device and the cloud, from 700 on, such as 1492 over PPPoE",
}

// What goes around and into a packet, in bytes.
const (
	ipHeader   = 20 // without options, RFC 791
	tcpHeader  = 20 // without options, RFC 9293
	udpHeader  = 8  // RFC 3948 §2.1
	espHeader  = 8  // SPI and sequence number, RFC 4303 §2
	espTrailer = 2  // pad length and next header, RFC 4303 §2
)

// room is the largest packet that ESP in tunnel mode carries within path bytes:
// a new IP header, one of UDP unless NAT traversal is off, ESP's own, an IV, as
// many whole blocks as fit, the last with the trailer, and the ICV (RFC 4303 §2
// and §3.1.2).
func room(path int, t vpn.Tunnel) int {
	block := t.ESP.Encryption.Block()
	path -= ipHeader + espHeader + block + t.ESP.Integrity.ICV()
	if t.NATT {
		path -= udpHeader
	}
	return path/block*block - espTrailer
}

// mtu settles the size of packets inside a tunnel and of TCP segments in them,
// and says why.
func (n *normalizer) mtu(out *Tunnel, t vpn.Tunnel) {
	path, _ := strconv.Atoi(out.Set[pathMTU.key()]) // its form was checked
	fits := room(path, t)
	out.MTU = min(fits, cloudMTU)
	out.MSS = out.MTU - ipHeader - tcpHeader
	within := ""
	if t.NATT {
		within = " within UDP"
	}
	reason := fmt.Sprintf("that is the cloud's limit, and ESP of %s and %s%s would leave %d of %d", t.ESP.Encryption, t.ESP.Integrity, within, fits, path)
	if fits < cloudMTU {
		reason = fmt.Sprintf("ESP of %s and %s%s leaves no more of %d", t.ESP.Encryption, t.ESP.Integrity, within, path)
	}
	n.notices = append(n.notices, notice{tunnel: t.Number, text: fmt.Sprintf("MTU: %d inside the tunnel, TCP MSS %d; %s", out.MTU, out.MSS, reason)})
}

//go:build e2e

package e2e

import (
	"encoding/binary"
	"fmt"
	"sync"
	"time"

	"github.com/gopacket/gopacket"
	"github.com/gopacket/gopacket/layers"
	"github.com/gopacket/gopacket/pcapgo"
)

// wire hears what the device and the transit network say to each other.
type wire struct {
	handle *pcapgo.EthernetHandle
	mu     sync.Mutex
	heard  heard
	read   uint // packets of those that the kernel has counted
	sent   uint
}

// heard is what crossed the wire since the case began.
type heard struct {
	Foreign   []string // packets that are neither IKE nor ESP
	ESP       int
	Lifetimes []uint32 // seconds, of IKEv1 phase 1, as the device offers them
}

// tap begins to listen on an interface of the space.
func tap(s space, name string) (*wire, error) {
	w := &wire{}
	err := s.in(func() (err error) {
		w.handle, err = pcapgo.NewEthernetHandle(name)
		return err
	})
	if err != nil {
		return nil, err
	}
	go w.listen()
	return w, nil
}

func (w *wire) listen() {
	for {
		data, _, err := w.handle.ReadPacketData()
		if err != nil {
			return
		}
		w.mu.Lock()
		w.heard.note(data)
		w.read++
		w.mu.Unlock()
	}
}

// begin forgets what was heard before.
func (w *wire) begin() error {
	_, err := w.end()
	w.mu.Lock()
	w.heard = heard{}
	w.mu.Unlock()
	return err
}

// end tells what was heard, up to the last packet that the kernel has counted.
func (w *wire) end() (out heard, err error) {
	return out, within(5*time.Second, 5*time.Millisecond, func() error {
		w.mu.Lock()
		defer w.mu.Unlock()
		counted, err := w.handle.Stats() // since the last time
		if err != nil {
			return err
		}
		w.sent += uint(counted.Packets)
		if w.read < w.sent {
			return fmt.Errorf("of %d packets on the wire %d were heard", w.sent, w.read)
		}
		out = w.heard
		return nil
	})
}

func (w *wire) close() { w.handle.Close() }

const (
	portIKE  = 500
	portNATT = 4500
)

func (h *heard) note(data []byte) {
	p := gopacket.NewPacket(data, layers.LayerTypeEthernet, gopacket.Default)
	ip, ok := p.NetworkLayer().(*layers.IPv4)
	if !ok { // ARP, or IPv6's own
		return
	}
	var udp *layers.UDP
	switch l := p.TransportLayer().(type) {
	case *layers.UDP:
		udp = l
	}
	switch {
	case ip.Protocol == layers.IPProtocolESP:
		h.ESP++
	case ip.FragOffset > 0: // of a packet that was looked at
	case isUnreachable(p): // that the lab's Internet says
	case udp != nil && udp.DstPort == portNATT && len(udp.Payload) >= 4 && binary.BigEndian.Uint32(udp.Payload) != 0:
		if len(udp.Payload) > 1 { // one byte keeps a NAT open
			h.ESP++
		}
	case udp != nil && udp.DstPort == portNATT:
		if len(udp.Payload) >= 4 {
			h.ike(udp.Payload[4:])
		}
	case udp != nil && udp.DstPort == portIKE:
		h.ike(udp.Payload)
	default:
		h.Foreign = append(h.Foreign, fmt.Sprintf("%s to %s, protocol %s", ip.SrcIP, ip.DstIP, ip.Protocol))
	}
}

func isUnreachable(p gopacket.Packet) bool {
	icmp, ok := p.Layer(layers.LayerTypeICMPv4).(*layers.ICMPv4)
	return ok && icmp.TypeCode.Type() == layers.ICMPv4TypeDestinationUnreachable
}

// ISAKMP's numbers (RFC 2408 §3, RFC 2409 appendix A).
const (
	payloadSA         = 1
	exchangeMain      = 2
	exchangeAggr      = 4
	attributeLife     = 12
	attributeBasic    = 0x8000
	sizeHeader        = 28
	sizeGenericAndDOI = 12 // generic header, DOI, situation
	sizeProposal      = 8
	sizeTransform     = 8
)

// ike reads the lifetime that an IKEv1 initiator offers in its first message.
func (h *heard) ike(m []byte) {
	first := len(m) > sizeHeader && [8]byte(m[8:16]) == [8]byte{} && m[17] == 0x10
	if !first || m[16] != payloadSA || m[18] != exchangeMain && m[18] != exchangeAggr {
		return
	}
	sa := m[sizeHeader:]
	sa = sa[:min(len(sa), int(binary.BigEndian.Uint16(sa[2:])))]
	if len(sa) < sizeGenericAndDOI+sizeProposal {
		return
	}
	proposal := sa[sizeGenericAndDOI:]
	transforms := proposal[min(len(proposal), sizeProposal+int(proposal[6])):]
	for len(transforms) >= sizeTransform {
		size := int(binary.BigEndian.Uint16(transforms[2:]))
		if size < sizeTransform || size > len(transforms) {
			return
		}
		h.attributes(transforms[sizeTransform:size])
		transforms = transforms[size:]
	}
}

func (h *heard) attributes(a []byte) {
	for len(a) >= 4 {
		kind, short := binary.BigEndian.Uint16(a), binary.BigEndian.Uint16(a[2:])
		value := uint32(short)
		a = a[4:]
		if kind&attributeBasic == 0 { // the value follows, this was its size
			if short != 4 || len(a) < 4 {
				return
			}
			value, a = binary.BigEndian.Uint32(a), a[4:]
		}
		if kind&^attributeBasic == attributeLife {
			h.Lifetimes = append(h.Lifetimes, value)
		}
	}
}

//go:build e2e

package e2e

import (
	"fmt"
	"net"
	"net/netip"
	"sync/atomic"
	"time"

	"golang.org/x/net/icmp"
	"golang.org/x/net/ipv4"
)

// ping asks until it is answered, three seconds at most. A guest's kernel is
// slow to start ping(8).
func (l *lab) ping(from string, source, to netip.Addr) error {
	err := l.space(from).in(func() error {
		return within(2*time.Second, 100*time.Millisecond, func() error { return echo(source, to, time.Second) })
	})
	if err != nil {
		return fmt.Errorf("%s: no answer from %s to %s: %w", from, to, source, err)
	}
	return nil
}

// asked tells the answers to one question from another's.
var asked atomic.Uint32

// echo asks once (RFC 792).
func echo(source, to netip.Addr, wait time.Duration) error {
	conn, err := icmp.ListenPacket("ip4:icmp", source.String())
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(wait)); err != nil {
		return err
	}
	id := int(uint16(asked.Add(1)))
	question, err := (&icmp.Message{Type: ipv4.ICMPTypeEcho, Body: &icmp.Echo{ID: id, Data: make([]byte, 56)}}).Marshal(nil)
	if err != nil {
		return err
	}
	if _, err := conn.WriteTo(question, &net.IPAddr{IP: to.AsSlice()}); err != nil {
		return err
	}
	for packet := make([]byte, 1500); ; {
		n, from, err := conn.ReadFrom(packet)
		if err != nil {
			return err
		}
		m, err := icmp.ParseMessage(ipv4.ICMPTypeEcho.Protocol(), packet[:n])
		if err != nil || m.Type != ipv4.ICMPTypeEchoReply || from.String() != to.String() {
			continue
		}
		if answer, ok := m.Body.(*icmp.Echo); ok && answer.ID == id {
			return nil
		}
	}
}

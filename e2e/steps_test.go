//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
	"time"
)

// cloudInitiates has the gateway bring up again what the device has ended.
func cloudInitiates(t *trial) error {
	if err := t.device.down(); err != nil {
		return err
	}
	t.replaced = false
	gateway := t.lab.gateway[0]
	gone := func() error {
		if n := len(gateway.sas()); n > 0 {
			return fmt.Errorf("ended, and yet %d IKE_SAs", n)
		}
		return nil
	}
	if err := within(5*time.Second, 50*time.Millisecond, gone); err != nil {
		return err
	}
	if err := gateway.do("initiate", section{"ike": "cloud", "child": "c1", "timeout": "5000"}); err != nil {
		return err
	}
	if sas := gateway.sas(); len(sas) != 1 || !sas[0].Initiator {
		return errors.New("the gateway is not the initiator")
	}
	return errors.Join(t.up(), t.crossed())
}

var established = regexp.MustCompile(`CHILD_SA c1\{\d+\} established`)

// rekeysOften pings over some lifetimes: each SA is replaced before it ends, and
// no more than one answer in hundreds is lost. With IKEv1 it may be one for each
// SA, as the gateway has the new one only with the third message, behind which
// the device's traffic may overtake it (RFC 2409 §5.5); but no gap of a second.
func rekeysOften(t *trial) error {
	before := len(established.FindAllString(t.lab.gateway[0].log(), -1))
	peer, cloud := t.networks()
	count, interval := 650, "0.2"
	if t.said.Tunnels[0].v1() {
		count, interval = 130, "1"
	}
	out, err := t.lab.space("idc").run("ping", "-n", "-i"+interval, fmt.Sprint("-c", count), "-W3", "-I", host(peer[0]).String(), host(cloud[0]).String())
	if err != nil {
		return err
	}
	replaced := len(established.FindAllString(t.lab.gateway[0].log(), -1)) - before
	if replaced < 3 {
		return fmt.Errorf("rekeyed %d times in 130 s, with a lifetime of 40 s", replaced)
	}
	bound := 1
	if t.said.Tunnels[0].v1() {
		bound = replaced
	}
	lost := unanswered(out, count)
	gap := slices.ContainsFunc(lost, func(n int) bool { return slices.Contains(lost, n+1) })
	if len(lost) > bound || gap {
		return fmt.Errorf("of %d pings %v were lost while rekeying %d times", count, lost, replaced)
	}
	return within(3*time.Second, 50*time.Millisecond, t.up) // the next SA may be about to be up
}

var answered = regexp.MustCompile(`icmp_seq=(\d+) ttl=`)

// unanswered are the numbers of the pings that ping does not tell an answer to.
func unanswered(out string, count int) (lost []int) {
	got := map[string]bool{}
	for _, m := range answered.FindAllStringSubmatch(out, -1) {
		got[m[1]] = true
	}
	for n := 1; n <= count; n++ {
		if !got[fmt.Sprint(n)] {
			lost = append(lost, n)
		}
	}
	return lost
}

// cloudDeletes has the gateway end its SAs in order, first that for ESP alone,
// and wants the device to bring them up again.
func cloudDeletes(t *trial) error {
	for _, sa := range []section{{"child": "c1"}, {"ike": "cloud"}} {
		// The IKE_SA may still be changing hands, as the device was told to rekey it.
		ended := func() error { return t.lab.gateway[0].do("terminate", sa) }
		if err := within(5*time.Second, 100*time.Millisecond, ended); err != nil {
			return err
		}
		t.replaced = false
		if err := within(t.promised(), 500*time.Millisecond, func() error { return errors.Join(t.up(), t.crossed()) }); err != nil {
			return fmt.Errorf("without %v: %w", sa, err)
		}
	}
	return nil
}

// promised is how long a device with DPD may take to notice that the gateway
// has gone, and to be back after it is: DPD after 10 seconds, retransmissions,
// 12 seconds of them with strongSwan as the lab has it, 60 with libreswan, and a
// new attempt.
func (t *trial) promised() time.Duration {
	if _, ok := t.device.(*libreswan); ok {
		return 90 * time.Second
	}
	return 60 * time.Second
}

// cloudVanishes cuts the gateway off without a word, for longer than DPD takes.
func cloudVanishes(t *trial) error {
	if err := t.cut(0); err != nil {
		return err
	}
	t.replaced = false
	begin := time.Now()
	lost := func() error {
		if t.device.connected() {
			return errors.New("DPD has not noticed that the gateway has gone")
		}
		return nil
	}
	if err := within(t.promised(), 500*time.Millisecond, lost); err != nil {
		return err
	}
	if err := t.mend(t.said, 0); err != nil {
		return err
	}
	back := func() error { return errors.Join(t.up(), t.crossed()) }
	if err := within(t.promised(), 500*time.Millisecond, back); err != nil {
		return fmt.Errorf("%v after the cut: %w", time.Since(begin), err)
	}
	return nil
}

// cause is what may happen to a gateway, and how it ends.
type cause struct{ begin, end func(t *trial, n int) error }

var (
	linkCut = cause{func(t *trial, n int) error { return t.cut(n) }, func(t *trial, n int) error { return t.mend(t.said, n) }}
	killed  = cause{func(t *trial, n int) error { return t.kill(n) }, (*trial).revive}
	stopped = cause{func(t *trial, n int) error { t.lab.gateway[n].stop(); return nil }, (*trial).revive} // tells the device
	keyLost = cause{func(t *trial, n int) error { return t.changeKey(n, "an0ther-than-that") }, func(t *trial, n int) error {
		return errors.Join(t.changeKey(n, t.said.Tunnels[n].Ike["Psk"]), t.device.again(fmt.Sprintf("vco-%s-%d", t.id(), n+1)))
	}}
)

// kill ends a gateway without a word, and what its kernel knows of it.
func (l *lab) kill(n int) error {
	gateway := l.gateway[n]
	gateway.cmd.Process.Kill()
	gateway.stop()
	return batch(gateway.net, "xfrm state flush", "xfrm policy flush")
}

// revive starts a gateway that has ended. It hears nothing before it knows its
// peer, as it would turn it down.
func (t *trial) revive(n int) error {
	for _, step := range []func() error{
		func() error { return t.cut(n) }, func() error { return t.startGateway(n) }, func() error { return t.loadGateway(t.said, n) },
	} {
		if err := step(); err != nil {
			return err
		}
	}
	return t.mend(t.said, n)
}

// changeKey gives a gateway another key, and has it begin anew.
func (t *trial) changeKey(n int, key string) error {
	gateway := t.lab.gateway[n]
	if err := errors.Join(gateway.do("clear-creds", nil), gateway.loadKey(key, t.said.Tunnels[n].Ike["RemoteId"])); err != nil {
		return err
	}
	for _, sa := range gateway.sas() {
		gateway.do("terminate", section{"ike-id": sa.ID}) // it may be gone
	}
	return nil
}

// failsOver has the active tunnel die of one cause after the other.
func failsOver(causes ...cause) func(*trial) error {
	return func(t *trial) error {
		for i, c := range causes {
			if err := t.survives(c); err != nil {
				return fmt.Errorf("cause %d: %w", i+1, err)
			}
		}
		return nil
	}
}

// survives has the active tunnel die and wants the traffic in the other, and
// back in the first. A gateway's host is answered by the tunnel that the device
// prefers.
func (t *trial) survives(c cause) error {
	peer, cloud := t.networks()
	through := func(vpc string) func() error {
		return func() error {
			return errors.Join(t.ping("idc", host(peer[0]), host(cloud[0])), t.ping(vpc, host(cloud[0]), host(peer[0])))
		}
	}
	begin := time.Now()
	if err := c.begin(t, 0); err != nil {
		return err
	}
	if err := within(t.promised(), 500*time.Millisecond, through("vpc2")); err != nil {
		return fmt.Errorf("not in the second tunnel after %v: %w", time.Since(begin), err)
	}
	if err := c.end(t, 0); err != nil {
		return err
	}
	t.replaced = false
	if err := within(t.promised(), 500*time.Millisecond, func() error { return errors.Join(t.tunnelUp(0), through("vpc1")()) }); err != nil {
		return fmt.Errorf("the first tunnel is not back: %w", err)
	}
	return nil
}

// routeFailover has nothing lost either when the other tunnel is killed then.
func routeFailover(t *trial) error {
	if err := t.survives(linkCut); err != nil {
		return err
	}
	peer, cloud := t.networks()
	ping := func() error { return t.ping("idc", host(peer[0]), host(cloud[0])) }
	if err := t.cut(1); err != nil {
		return err
	}
	if err := within(10*time.Second, 500*time.Millisecond, ping); err != nil { // sooner than DPD
		return fmt.Errorf("not back in the first tunnel: %w", err)
	}
	return t.mend(t.said, 1)
}

// busyFailover is routeFailover while the cloud sends through the second tunnel
// all the time.
func busyFailover(t *trial) error {
	peer, cloud := t.networks()
	sends, err := t.lab.space("vpc2").daemon(filepath.Join(t.lab.dir, "sends"), "ping", "-n", "-q", "-i0.5", "-I", host(cloud[0]).String(), host(peer[0]).String())
	if err != nil {
		return err
	}
	defer end(sends)
	return routeFailover(t)
}

// failover kills the active tunnel and wants the traffic in the other, and
// back in the first when that is up again.
func failover(t *trial) error {
	peer, cloud := t.networks()
	through := func(vpc string) func() error {
		return func() error { return t.ping("idc", host(peer[0]), host(cloud[0])) } // answered in the tunnel that the device prefers
	}
	if err := through("vpc1")(); err != nil {
		return err
	}
	begin := time.Now()
	if err := t.cut(0); err != nil {
		return err
	}
	if err := within(t.promised(), 500*time.Millisecond, through("vpc2")); err != nil {
		return fmt.Errorf("not in the second tunnel after %v: %w", time.Since(begin), err)
	}
	if err := t.mend(t.said, 0); err != nil {
		return err
	}
	t.replaced = false
	back := func() error { return errors.Join(t.up(), through("vpc1")()) }
	if err := within(t.promised(), 500*time.Millisecond, back); err != nil {
		return fmt.Errorf("not back in the first tunnel: %w", err)
	}
	return nil
}

func TestUnanswered(t *testing.T) {
	out := "64 bytes from 10.1.0.2: icmp_seq=1 ttl=61 time=1 ms\nFrom 10.0.0.1 icmp_seq=2 Destination Host Unreachable\n64 bytes from 10.1.0.2: icmp_seq=3 ttl=61 time=1 ms\n"
	if lost := unanswered(out, 4); !slices.Equal(lost, []int{2, 4}) {
		t.Error(lost)
	}
}

package render

import (
	"fmt"
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"

	"peerconf/vpn"
)

var objectName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_-]*$`)

// titles are ids as replies may have them: alike but for one character, longer
// than any device takes, and of no character that a name may have.
func titles() []string {
	out := []string{"vco-bp10lz7aejumd2vxoqgev", "到杭州的连接", "到北京的连接", "连接", "连 接", "-", "--", "_", "a", "a-", "1", "a b", "a.b", "a{b", "http", strings.Repeat("连", 100)}
	long := "vco-" + strings.Repeat("x", 75)
	random, alphabet := rand.New(rand.NewPCG(1, 2)), []rune("abyz09-_ ./#{}'\"杭é")
	for i := range 200 {
		out = append(out, long[:20+i%60]+fmt.Sprintf("%05d", i), fmt.Sprintf("%05d", i)+long, fmt.Sprintf("连接 %d", i))
		b := make([]rune, 1+random.IntN(100))
		for j := range b {
			b[j] = alphabet[random.IntN(len(alphabet))]
		}
		out = append(out, string(b))
	}
	return out
}

// TestNames holds the names of every object on every device to this: valid,
// within the device's limit with what is appended, another for each other id
// even where case is no difference, and the same in whatever run.
func TestNames(t *testing.T) {
	for _, d := range dialects {
		for _, shape := range []struct {
			name    string
			changes []change
		}{{"one tunnel", nil}, {"two tunnels", []change{second}}, {"several subnets", []change{several}}} {
			owner := map[string]string{}
			for _, id := range titles() {
				c := with(plain(d, vpn.IKEv1), append(shape.changes, called(id))...)
				view := viewOf(t, d, c)
				for _, name := range names(view) {
					if !objectName.MatchString(name) || len(name) > d.MaxName {
						t.Errorf("%s, %s: %q becomes %q of %d characters", d.Name, shape.name, id, name, len(name))
					}
					if other, taken := owner[strings.ToLower(name)]; taken && other != id {
						t.Errorf("%s, %s: %q and %q both become %s", d.Name, shape.name, other, id, name)
					}
					owner[strings.ToLower(name)] = id
				}
				if again := viewOf(t, d, c); again.Name != view.Name {
					t.Errorf("%s: %q becomes %s, then %s", d.Name, id, view.Name, again.Name)
				}
			}
		}
	}
}

// viewOf is the view in a run of its own.
func viewOf(t *testing.T, d *Dialect, c vpn.Connection) View {
	t.Helper()
	n := normalizer{target: Target{Dialect: d}, answers: newAnswers(nil, nil), conn: c}
	view, problems := n.normalize()
	for _, p := range problems {
		if strings.Contains(p.Field, "name") {
			t.Fatalf("%s: %s", d.Name, p)
		}
	}
	return view
}

func names(v View) []string {
	out := []string{v.Name}
	for _, t := range v.Tunnels {
		if t.Name != v.Name {
			out = append(out, t.Name)
		}
	}
	return out
}

// TestNamesInCase refuses names that a device may take for one.
func TestNamesInCase(t *testing.T) {
	r, err := New([]string{"cisco-asa"}, Options{})
	if err != nil {
		t.Fatal(err)
	}
	c := plain(&ciscoASA, vpn.IKEv2)
	if _, _, err := r.Render(with(c, called("Berlin"))); err != nil {
		t.Fatal(err)
	}
	if _, _, err := r.Render(with(c, called("berlin"))); err == nil || !strings.Contains(err.Error(), `name "berlin"`) {
		t.Errorf("not refused: %v", err)
	}
}

// TestPeersAgree refuses connections between the same addresses that a device
// holds apart by nothing.
func TestPeersAgree(t *testing.T) {
	p, q := plain(&ciscoASA, vpn.IKEv2), plain(&ciscoASA, vpn.IKEv1)
	other := func(c *vpn.Connection) { c.ID, c.CloudSubnets = "OTHER", subnets("10.9.0.0/16") }
	named := each(func(t *vpn.Tunnel) { t.CloudIdentity = vpn.Identity{Kind: vpn.IDFQDN, Value: "other.cloud.example"} })
	elsewhere := each(func(t *vpn.Tunnel) { t.PeerAddress.IP = t.PeerAddress.IP.Next() })
	for _, c := range []struct {
		name, target string
		a, b         vpn.Connection
		refused      string
	}{
		{"alike", "cisco-asa", p, with(p, other), ""},
		{"another key", "cisco-asa", p, with(p, other, each(func(t *vpn.Tunnel) { t.PSK = vpn.NewSecret("other") })), "another key"},
		{"another IKE version", "cisco-asa", p, with(q, other), "one tunnel-group for a peer's address"},
		{"DPD off", "cisco-asa", p, with(p, other, dpdOff), "one tunnel-group for a peer's address"},
		{"another device", "cisco-asa", p, with(q, other, elsewhere), ""},
		{"DPD off elsewhere", "strongswan", p, with(p, other, dpdOff), ""},
		{"all traffic twice", "cisco-ios", with(p, everywhere), with(p, other, everywhere), "cannot tell the two apart"},
		{"all traffic and some", "juniper-srx", with(p, everywhere), with(p, other), ""},
		{"one identity", "cisco-ios", p, with(p, other), "takes none where several match"},
		{"one identity, another device", "cisco-ios", p, with(p, other, elsewhere), ""},
		{"one identity, another IKE version", "cisco-ios", p, with(q, other), ""},
		{"two identities", "cisco-ios", p, with(p, other, named), ""},
	} {
		r, err := New([]string{c.target}, Options{})
		if err != nil {
			t.Fatal(err)
		}
		if _, _, err := r.Render(c.a); err != nil {
			t.Fatalf("%s: %v", c.name, err)
		}
		_, _, err = r.Render(c.b)
		if (err == nil) != (c.refused == "") || err != nil && !strings.Contains(err.Error(), c.refused) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

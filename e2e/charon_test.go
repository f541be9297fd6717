//go:build e2e

package e2e

import (
	"cmp"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/strongswan/govici/vici"
)

// plugins are strongSwan's as Debian packages them, without those that look
// for certificates, users and other places.
const plugins = "random nonce openssl aes sha1 sha2 md5 hmac kdf pem gmp %s kernel-netlink socket-default updown vici"

// esp is the plugin that does ESP where the kernel has none.
var esp = map[string]string{"host": "kernel-libipsec"}

// charon is a running strongSwan.
type charon struct {
	space
	dir string
	cmd *exec.Cmd
	ctl *vici.Session

	margins bool // it is ipsec.conf's, with margins
}

// charon starts strongSwan's daemon on a host, with some of strongswan.conf's
// charon section.
func (l *lab) charon(host, settings string) (*charon, error) {
	c, err := l.strongswan(host, settings)
	if err != nil {
		return nil, err
	}
	return c, c.start("/usr/lib/ipsec/charon")
}

// strongswan lays out the files of a strongSwan.
func (l *lab) strongswan(host, settings string, more ...string) (*charon, error) {
	dir := filepath.Join(l.dir, host)
	if err := within(10*time.Second, 100*time.Millisecond, func() error { return os.RemoveAll(dir) }); err != nil {
		return nil, err
	}
	files := map[string]string{
		"run/": "", "swanctl/swanctl.conf": "include conf.d/*.conf\n", "swanctl/conf.d/empty.conf": "",
		"ipsec.conf": "", "ipsec.secrets": "", "ipsec.d/": "",
		"strongswan.conf": fmt.Sprintf(`charon {
	load = `+plugins+`
	retransmit_timeout = 1.0
	retransmit_tries = 3
	%s
	filelog { log { path = %s/charon.log
		default = 1
		flush_line = yes
		time_format = %%T
		ike_name = yes
	} }
}
swanctl { load = pem openssl }
`, strings.Join(append(more, esp[l.kernel]), " "), settings, dir),
	}
	for _, d := range strings.Fields("x509 x509ca x509aa x509ocsp x509crl x509ac pubkey private rsa ecdsa pkcs8 pkcs12 bliss") {
		files["swanctl/"+d+"/"] = "" // swanctl complains if one is missing
	}
	paths := map[string]string{}
	for name, text := range files {
		paths[dir+"/"+name] = text
	}
	c := &charon{dir: dir, space: space{net: l.net(host), first: l.first, whole: true, binds: [][2]string{{"/etc/strongswan.conf", dir + "/strongswan.conf"}, {"/etc/swanctl", dir + "/swanctl"},
		{"/etc/ipsec.conf", dir + "/ipsec.conf"}, {"/etc/ipsec.secrets", dir + "/ipsec.secrets"}, {"/etc/ipsec.d", dir + "/ipsec.d"}, {"/run", dir + "/run"}}}}
	return c, write(paths)
}

// start runs the program that is or has the daemon, and waits for it to answer.
func (c *charon) start(program string, args ...string) (err error) {
	if c.cmd, err = c.daemon(c.dir+"/out", program, args...); err != nil {
		return err
	}
	return within(10*time.Second, 20*time.Millisecond, func() (err error) {
		c.ctl, err = vici.NewSession(vici.WithAddr("unix", c.dir+"/run/charon.vici"), vici.WithDialContext(dial))
		return err
	})
}

func dial(ctx context.Context, network, address string) (net.Conn, error) {
	conn, err := (&net.Dialer{}).DialContext(ctx, network, address)
	return questions{conn}, err
}

// questions are to be answered: a daemon that hangs is an error of its case.
type questions struct{ net.Conn }

func (q questions) Write(b []byte) (int, error) {
	if err := q.SetReadDeadline(time.Now().Add(time.Minute)); err != nil {
		return 0, err
	}
	return q.Conn.Write(b)
}

func (c *charon) stop() {
	if c == nil {
		return
	}
	if c.ctl != nil {
		c.ctl.Close()
	}
	end(c.cmd)
}

// end asks a daemon to stop, and has it stop.
func end(cmd *exec.Cmd) {
	if cmd == nil || cmd.Process == nil {
		return
	}
	cmd.Process.Signal(syscall.SIGTERM)
	gone := make(chan bool)
	go func() { cmd.Wait(); close(gone) }()
	select {
	case <-gone:
	case <-time.After(3 * time.Second):
		cmd.Process.Kill()
		<-gone
	}
}

// log is what the daemon wrote.
func (c *charon) log() string {
	b, _ := os.ReadFile(c.dir + "/charon.log")
	return string(b)
}

func (c *charon) forget() error { return os.Truncate(c.dir+"/charon.log", 0) }

// section is a message of the daemon's control protocol.
type section map[string]any

func message(s section) *vici.Message {
	m := vici.NewMessage()
	for k, v := range s {
		if sub, ok := v.(section); ok {
			v = message(sub)
		}
		if err := m.Set(k, v); err != nil {
			panic(err)
		}
	}
	return m
}

// do has the daemon carry out a command.
func (c *charon) do(command string, s section) error {
	m, err := c.ctl.CommandRequest(command, message(s))
	if err == nil {
		err = m.Err()
	}
	if err != nil {
		return fmt.Errorf("%s: %w", command, err)
	}
	return nil
}

// clear takes connections, keys and SAs away.
func (c *charon) clear() error {
	conns, err := c.ctl.StreamedCommandRequest("list-conns", "list-conn", nil)
	if err != nil {
		return err
	}
	for _, m := range conns {
		for _, name := range m.Keys() {
			if name != "success" {
				if err := c.do("unload-conn", section{"name": name}); err != nil {
					return err
				}
			}
		}
	}
	for _, sa := range c.sas() {
		c.do("terminate", section{"ike-id": sa.ID, "force": "yes", "timeout": "-1"}) // it may be gone
	}
	return c.do("clear-creds", nil)
}

// ikeSA and childSA are what the daemon tells of what it has negotiated.
type ikeSA struct {
	Name, ID, Version, State                 string
	LocalID, RemoteID, LocalHost, RemoteHost string
	Initiator                                bool
	Encryption, Bits, Integrity, PRF, Group  string
	Age, Rekey                               string // seconds since it was made, and until it is replaced
	Children                                 []childSA
}

type childSA struct {
	Name, State, Encap                 string
	Encryption, Bits, Integrity, Group string
	Age, Rekey, Life                   string
	Local, Remote                      []string
}

func (c *charon) sas() (out []ikeSA) {
	list, err := c.ctl.StreamedCommandRequest("list-sas", "list-sa", nil)
	if err != nil {
		return nil
	}
	for _, m := range list {
		for _, name := range m.Keys() {
			if s, ok := m.Get(name).(*vici.Message); ok {
				out = append(out, readSA(name, s))
			}
		}
	}
	return out
}

func readSA(name string, m *vici.Message) ikeSA {
	sa := ikeSA{
		Name: name, ID: str(m, "uniqueid"), Version: str(m, "version"), State: str(m, "state"),
		LocalID: str(m, "local-id"), RemoteID: str(m, "remote-id"), LocalHost: str(m, "local-host"), RemoteHost: str(m, "remote-host"),
		Initiator:  str(m, "initiator") == "yes",
		Encryption: str(m, "encr-alg"), Bits: str(m, "encr-keysize"), Integrity: str(m, "integ-alg"), PRF: str(m, "prf-alg"), Group: str(m, "dh-group"),
		Age: str(m, "established"), Rekey: cmp.Or(str(m, "rekey-time"), str(m, "reauth-time")), // IKEv1 knows no other rekeying
	}
	children, ok := m.Get("child-sas").(*vici.Message)
	if !ok {
		return sa
	}
	for _, key := range children.Keys() {
		c, ok := children.Get(key).(*vici.Message)
		if !ok || str(c, "state") != "INSTALLED" {
			continue
		}
		sa.Children = append(sa.Children, childSA{
			Name: str(c, "name"), State: str(c, "state"), Encap: str(c, "encap"),
			Encryption: str(c, "encr-alg"), Bits: str(c, "encr-keysize"), Integrity: str(c, "integ-alg"), Group: str(c, "dh-group"),
			Age: str(c, "install-time"), Rekey: str(c, "rekey-time"), Life: str(c, "life-time"), Local: list(c, "local-ts"), Remote: list(c, "remote-ts"),
		})
	}
	return sa
}

func str(m *vici.Message, key string) string {
	s, _ := m.Get(key).(string)
	return s
}

func list(m *vici.Message, key string) []string {
	s, _ := m.Get(key).([]string)
	return s
}

// swanctl runs the operator's command against the daemon.
func (c *charon) swanctl(args ...string) (string, error) {
	return c.run("swanctl", args...)
}

func (c *charon) version() string {
	m, err := c.ctl.CommandRequest("version", nil)
	if err != nil {
		return err.Error()
	}
	return "strongSwan " + str(m, "version")
}

// within tries again until it succeeds or the time is over.
func within(limit, pause time.Duration, try func() error) error {
	for end := time.Now().Add(limit); ; time.Sleep(pause) {
		if err := try(); err == nil || time.Now().After(end) {
			return err
		}
	}
}

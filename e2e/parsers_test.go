//go:build e2e

package e2e

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/strongswan/govici/vici"
	"time"
)

// parsers read a target's files as the device would, and return the connections
// they found.
var parsers = map[string]func(t *testing.T, l *lab, files map[string]string) []string{
	"strongswan":       bySwanctl,
	"strongswan-ipsec": byStarter,
	"libreswan":        byAddconn("libreswan-4"),
	"libreswan@5.2":    byAddconn("libreswan-5"),
}

// TestParsers has the real parsers read what is rendered of every story.
func TestParsers(t *testing.T) {
	stories, err := filepath.Glob("../testdata/*")
	if err != nil {
		t.Fatal(err)
	}
	l := &lab{name: "pcp", dir: t.TempDir(), kernel: "host"}
	t.Cleanup(l.close)
	if err := l.use(proof{}.said()); err != nil {
		t.Fatal(err)
	}
	for target, parse := range parsers {
		read := 0
		for _, story := range stories {
			files, ok := renderStory(t, target, story)
			if !ok {
				continue // refused, or masked: the goldens have why
			}
			t.Run(target+"/"+filepath.Base(story), func(t *testing.T) {
				want := connections(target, files)
				if got := unique(parse(t, l, files)); strings.Join(got, " ") != strings.Join(want, " ") || len(want) == 0 {
					t.Errorf("the parser found %q, not %q", got, want)
				}
			})
			read++
		}
		if read < 25 {
			t.Errorf("%s: %d stories were read", target, read)
		}
	}
}

// renderStory is false where nothing is rendered that a device can read.
func renderStory(t *testing.T, target, story string) (map[string]string, bool) {
	dir := t.TempDir()
	err := exec.Command(os.Getenv("PEERCONF"), "render", "--target", target, "-o", dir+"/", story).Run()
	if err != nil {
		return nil, false
	}
	files := map[string]string{}
	names, _ := filepath.Glob(dir + "/*")
	for _, name := range names {
		b, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(string(b), "REPLACE-") {
			return nil, false
		}
		files[filepath.Base(name)] = string(b)
	}
	return files, len(files) > 0
}

var (
	swanctlConn = regexp.MustCompile(`(?m)^\t([^\t\s]+) \{\n\t\tversion`)
	ipsecConn   = regexp.MustCompile(`(?m)^conn (\S+)`)
)

// connections are the names in the text.
func connections(target string, files map[string]string) (names []string) {
	form := ipsecConn
	if target == "strongswan" {
		form = swanctlConn
	}
	for _, text := range files {
		for _, m := range form.FindAllStringSubmatch(text, -1) {
			if !strings.Contains(text, "\talso="+m[1]+"\n") { // not but a pattern for others
				names = append(names, m[1])
			}
		}
	}
	return unique(names)
}

func bySwanctl(t *testing.T, l *lab, files map[string]string) []string {
	d, err := swanctl(l, said{}, "", files)
	defer d.stop()
	if err != nil {
		t.Fatal(err)
	}
	conns, _ := d.(*charon).loaded(t)
	return conns
}

// byStarter finds the children, as starter gathers those of one peer in a
// connection.
func byStarter(t *testing.T, l *lab, files map[string]string) (children []string) {
	d, err := starter(l, said{}, "", files)
	defer d.stop()
	if err != nil {
		t.Fatal(err)
	}
	want := connections("strongswan-ipsec", files)
	within(3*time.Second, 50*time.Millisecond, func() error {
		if _, children = d.(*charon).loaded(t); len(children) < len(want) {
			return errors.New("starter is still at it")
		}
		return nil
	})
	return children
}

// loaded are the names of the daemon's connections and of their children.
func (c *charon) loaded(t *testing.T) (conns, children []string) {
	list, err := c.ctl.StreamedCommandRequest("list-conns", "list-conn", nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, m := range list {
		for _, name := range m.Keys() {
			conn, ok := m.Get(name).(*vici.Message)
			if !ok {
				continue
			}
			conns = append(conns, name)
			if sub, ok := conn.Get("children").(*vici.Message); ok {
				children = append(children, sub.Keys()...)
			}
		}
	}
	return conns, children
}

// byAddconn has addconn check the syntax and algparse the proposals, which
// addconn does not.
func byAddconn(root string) func(*testing.T, *lab, map[string]string) []string {
	return func(t *testing.T, l *lab, files map[string]string) []string {
		root, dir := filepath.Join(cacheDir, root), t.TempDir()
		s := space{net: l.net("dev"), root: root, binds: [][2]string{{root + "/run", dir}}}
		all := map[string]string{dir + "/ipsec.conf": "config setup\n" + setup(files) + "include /run/ipsec.d/*.conf\n"}
		for name, text := range files {
			all[dir+"/ipsec.d/"+name] = text
		}
		if err := write(all); err != nil {
			t.Fatal(err)
		}
		out, err := s.run("/usr/libexec/ipsec/addconn", "--checkconfig", "--config", "/run/ipsec.conf")
		if err != nil || strings.Contains(out, "ERROR") {
			t.Fatal(err, out)
		}
		version := "-v2"
		for _, text := range files {
			if strings.Contains(text, "ikev2=no") {
				version = "-v1"
			}
			for _, m := range regexp.MustCompile(`(?m)^\s((?:ike|esp)=\S+)$`).FindAllStringSubmatch(text, -1) {
				args := []string{version, m[1]}
				if strings.HasPrefix(m[1], "esp=") && strings.Contains(m[1], ";") {
					args = []string{version, "-pfs", m[1]}
				}
				if out, err := s.run("/usr/libexec/ipsec/algparse", args...); err != nil {
					t.Error(err, out)
				}
			}
		}
		return connections("libreswan", files)
	}
}

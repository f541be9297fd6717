//go:build e2e

package e2e

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

// libreswan is a running pluto.
type libreswan struct {
	space
	dir   string
	cmd   *exec.Cmd
	ikev1 bool
}

// pluto returns what starts the libreswan of a root, with the files where their
// notes say.
func pluto(root string) func(*lab, said, string, map[string]string) (device, error) {
	return func(l *lab, s said, _ string, files map[string]string) (device, error) {
		root, dir := filepath.Join(cacheDir, root), filepath.Join(l.dir, "dev")
		d := &libreswan{dir: dir, ikev1: s.Tunnels[0].v1(), space: space{net: l.net("dev"), first: l.first, root: root, binds: [][2]string{
			{root + "/proc", "/proc"}, {root + "/sys", "/sys"}, {root + "/dev", "/dev"}, {root + "/run", dir}, {root + "/etc/ipsec.d", dir + "/ipsec.d"}}}}
		// A script of the case before may still write.
		if err := within(10*time.Second, 100*time.Millisecond, func() error { return os.RemoveAll(dir) }); err != nil {
			return nil, err
		}
		// What a file included says of config setup comes second to this.
		all := map[string]string{
			dir + "/pluto/": "", dir + "/tmp/": "",
			dir + "/ipsec.conf":    "config setup\n\tlogfile=/run/pluto.log\n" + setup(files) + "include /run/ipsec.d/*.conf\n",
			dir + "/ipsec.secrets": "include /run/ipsec.d/*.secrets\n",
		}
		for name, text := range files {
			all[dir+"/ipsec.d/"+name] = text
		}
		if err := errors.Join(write(all), os.CopyFS(dir+"/nss", os.DirFS(root+"/var/lib/ipsec/nss"))); err != nil {
			return nil, err
		}
		var err error
		d.cmd, err = d.daemon(dir+"/out", "/usr/libexec/ipsec/pluto", "--config", "/run/ipsec.conf", "--secretsfile", "/run/ipsec.secrets", "--nssdir", "/run/nss", "--nofork")
		if err != nil {
			return nil, err
		}
		return d, within(10*time.Second, 50*time.Millisecond, func() error {
			_, err := os.Stat(dir + "/pluto/pluto.ctl")
			return err
		})
	}
}

// setup is what the text tells the operator to have config setup say.
func setup(files map[string]string) string {
	for _, text := range files {
		if strings.Contains(text, "ikev1-policy=accept") {
			return "\tikev1-policy=accept\n"
		}
	}
	return ""
}

func (d *libreswan) whack(args ...string) (string, error) {
	return d.run("/usr/libexec/ipsec/whack", args...)
}

func (d *libreswan) log() string {
	out, _ := os.ReadFile(d.dir + "/out")
	log, _ := os.ReadFile(d.dir + "/pluto.log")
	return string(out) + string(log)
}

func (d *libreswan) version() string {
	out, err := d.run("/usr/libexec/ipsec/pluto", "--version")
	if err != nil {
		return err.Error()
	}
	return strings.ToLower(strings.Join(strings.Fields(out)[:2], " "))
}

var (
	status  = regexp.MustCompile(`ike_life: (\d+)s; ipsec_life: (\d+)s;.* rekey_margin: (\d+)s; rekey_fuzz: (\d+)%`)
	traffic = regexp.MustCompile(`"([^"]+)"`)
)

// lifetimes are what pluto says it works with: an SA is replaced a margin
// before its end, which chance makes larger by up to the fuzz.
func (d *libreswan) lifetimes(s said) error {
	out, err := d.whack("--status")
	if err != nil {
		return err
	}
	found := status.FindAllStringSubmatch(out, -1)
	if len(found) == 0 {
		return errors.New("no lifetimes in whack --status")
	}
	for _, m := range found {
		var ike, esp, margin, fuzz int
		fmt.Sscan(strings.Join(m[1:], " "), &ike, &esp, &margin, &fuzz)
		fits := false
		for _, t := range s.Tunnels {
			fits = fits || fmt.Sprint(ike) == t.Ike["IkeLifetime"] && fmt.Sprint(esp) == t.Ipsec["IpsecLifetime"]
		}
		if latest := margin + margin*fuzz/100; !fits || margin == 0 || latest >= min(ike, esp) {
			return fmt.Errorf("pluto works with %s", m[0])
		}
	}
	return nil
}

func (d *libreswan) names() []string {
	out, _ := d.whack("--trafficstatus")
	var names []string
	for _, m := range traffic.FindAllStringSubmatch(out, -1) {
		names = append(names, m[1])
	}
	return unique(names)
}

func (d *libreswan) rekey() error {
	option := "--rekey-ipsec"
	if filepath.Base(d.root) == "libreswan-5" {
		if d.ikev1 {
			return nil // an expectation of pluto 5.2 fails, and IKEv1 shows its group at once
		}
		option = "--rekey-child"
	}
	for _, name := range d.names() {
		if _, err := d.whack(option, "--asynchronous", "--name", name); err != nil {
			return err
		}
	}
	return nil
}

func (d *libreswan) connected() bool { return len(d.names()) > 0 }

func (d *libreswan) down() error {
	for _, name := range d.names() {
		if _, err := d.whack("--terminate", "--asynchronous", "--name", name); err != nil {
			return err
		}
	}
	return nil
}

func (d *libreswan) again(string) error { return nil } // it never gives up

func (d *libreswan) stop() {
	if d.cmd == nil {
		return
	}
	d.cmd.Process.Kill() // in order it takes a quarter of a second, and nobody asks for it any more
	d.cmd.Wait()
}

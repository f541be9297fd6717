//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// space is where a program of the suite runs: a network namespace, and files
// of its own in place of the system's.
type space struct {
	net   string
	binds [][2]string // over what, what
	root  string      // of its programs, where it is not the system's
	whole bool        // what a daemon has started ends with it
	first bool        // its daemons go before other programs
}

// in runs f on a thread of its own inside the space. What f starts stays in it.
func (s space) in(f func() error) error {
	done := make(chan error)
	go func() {
		runtime.LockOSThread() // and never unlocked: the thread ends with this
		done <- s.enter(f)
	}()
	return <-done
}

func (s space) enter(f func() error) error {
	ns, err := os.Open("/run/netns/" + s.net)
	if err != nil {
		return err
	}
	defer ns.Close()
	if err := s.bind(); err != nil {
		return err
	}
	if err := unix.Setns(int(ns.Fd()), unix.CLONE_NEWNET); err != nil {
		return fmt.Errorf("setns %s: %w", s.net, err)
	}
	return f()
}

// bind puts the files in their places, for this thread.
func (s space) bind() error {
	if len(s.binds) == 0 {
		return nil
	}
	if err := unix.Unshare(unix.CLONE_NEWNS); err != nil {
		return fmt.Errorf("unshare: %w", err)
	}
	if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
		return fmt.Errorf("private mounts: %w", err)
	}
	for _, b := range s.binds {
		if err := unix.Mount(b[1], b[0], "", unix.MS_BIND|unix.MS_REC, ""); err != nil {
			return fmt.Errorf("bind %s over %s: %w", b[1], b[0], err)
		}
	}
	return nil
}

// run runs a command in the space and returns what it prints.
func (s space) run(name string, args ...string) (string, error) {
	var out bytes.Buffer
	cmd := s.command(name, args...)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := s.in(cmd.Start); err != nil {
		return "", err
	}
	hangs := time.AfterFunc(3*time.Minute, func() { cmd.Process.Kill() })
	defer hangs.Stop()
	err := cmd.Wait()
	if err != nil {
		err = fmt.Errorf("%s %s: %w\n%s", filepath.Base(name), strings.Join(args, " "), err, out.String())
	}
	return out.String(), err
}

func (s space) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Chroot: s.root}
	if s.root != "" {
		cmd.Dir = "/"
	}
	return cmd
}

// daemon starts a command in the space and leaves it running.
func (s space) daemon(log, name string, args ...string) (*exec.Cmd, error) {
	f, err := os.Create(log)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	if s.first {
		name, args = "nice", append([]string{"-n", "-10", name}, args...)
	}
	cmd := s.command(name, args...)
	if s.whole {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
	}
	cmd.Stdout, cmd.Stderr = f, f
	return cmd, s.in(cmd.Start)
}

// batch has ip(8) run many commands, in the namespace if one is named.
func batch(net string, commands ...string) error {
	args := []string{"-batch", "-"}
	if net != "" {
		args = append([]string{"-n", net}, args...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "ip", args...)
	cmd.Stdin = strings.NewReader(strings.Join(commands, "\n"))
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("ip %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return nil
}

// write makes files, by path, and their directories; a path that ends in / is
// a directory.
func write(files map[string]string) error {
	for path, text := range files {
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			return err
		}
		if strings.HasSuffix(path, "/") {
			continue
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			return err
		}
	}
	return nil
}

func unique(list []string) []string {
	list = slices.Clone(list)
	slices.Sort(list)
	return slices.Compact(list)
}

// What a daemon has started must not live on, and keep its sockets from the next.
func TestDaemonEnds(t *testing.T) {
	const word = "sleep\x0012345.6"
	lives := func() bool {
		all, _ := filepath.Glob("/proc/[0-9]*/cmdline")
		return slices.ContainsFunc(all, func(path string) bool {
			line, _ := os.ReadFile(path)
			return strings.HasPrefix(string(line), word)
		})
	}
	s := space{net: "daemons", whole: true}
	if err := batch("", "netns add "+s.net); err != nil {
		t.Fatal(err)
	}
	defer batch("", "netns del "+s.net)
	cmd, err := s.daemon(filepath.Join(t.TempDir(), "out"), "sh", "-c", "sleep 12345.6 & wait")
	if err == nil {
		err = within(5*time.Second, 10*time.Millisecond, func() error {
			if !lives() {
				return errors.New("it has not begun")
			}
			return nil
		})
	}
	if err != nil {
		t.Fatal(err)
	}
	cmd.Process.Kill()
	cmd.Wait()
	if lives() {
		t.Error("what a killed daemon had started lives on")
	}
}

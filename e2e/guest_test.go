//go:build e2e

package e2e

import (
	"context"
	"debug/elf"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// A guest is a kernel that has what the host's may lack. Its root is the host's,
// read-only, and its first process is this test binary: see [guestMain].
type guest struct {
	needs   []string // host files, the cache named as [cacheDir] does
	modules []string // loaded before the tests start; others never
	command func(work, out, cmdline string, cpu int) ([]string, error)
}

// guests are the kernels by name.
var guests = map[string]guest{
	// User-mode Linux: starts fast, has VTI, has no XFRM interface.
	"uml": {
		needs:   []string{"/usr/bin/linux.uml", cacheDir + "/uml/lib/modules"},
		modules: append([]string{"veth", "tun", "esp4", "xfrm_user", "ip_vti", "cbc", "hmac"}, algorithms...),
		command: umlCommand,
	},
	// Debian's kernel, emulated: two to four times slower, has XFRM interfaces.
	"qemu": {
		needs:   []string{"/usr/bin/qemu-system-x86_64", cacheDir + "/qemu/vmlinuz", cacheDir + "/qemu/boot"},
		modules: append([]string{"veth", "tun", "esp4", "xfrm_user", "ip_vti", "xfrm_interface", "nft_chain_nat", "nft_nat"}, algorithms...),
		command: qemuCommand,
	},
}

// algorithms are those of SAs, with the random numbers that initialise them.
var algorithms = []string{"authenc", "echainiv", "seqiv", "sha512_generic", "des_generic", "drbg"}

// cacheDir is where install.sh unpacks what must not be installed.
var cacheDir = func() string {
	if dir := os.Getenv("E2E_CACHE"); dir != "" {
		return dir
	}
	return "/var/cache/peerconf-e2e"
}()

func TestMain(m *testing.M) {
	if os.Getpid() == 1 && os.Getenv("E2E_GUEST") != "" {
		guestMain()
	}
	os.Exit(m.Run())
}

// runGuest boots kernel, one of [guests], and runs in it those tests of this
// binary that the pattern run matches, with E2E_GUEST set to kernel and E2E_OUT
// to a directory that is out on the host. It returns when the guest is off, or
// kills it when ctx ends. In out lie the tests' output, log, and the kernel's,
// console. An error means that the tests did not run, or that one failed. The
// pattern has no double quotes, neither path blanks.
func runGuest(ctx context.Context, kernel, run, out string, part int) error {
	if in := os.Getenv("E2E_GUEST"); in != "" {
		return fmt.Errorf("guest %s: a guest boots no guest, and this is %s", kernel, in)
	}
	g, ok := guests[kernel]
	if !ok {
		return fmt.Errorf("guest %s is not one of %s", kernel, slices.Sorted(maps.Keys(guests)))
	}
	if err := hostHas(g.needs); err != nil {
		return fmt.Errorf("guest %s: %w", kernel, err)
	}
	out, err := filepath.Abs(out)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(filepath.Join(out, "status")); err != nil {
		return err
	}
	work, err := os.MkdirTemp("", "guest")
	if err != nil {
		return err
	}
	defer os.RemoveAll(work)
	// UML's memory is a file: on a disk it is slow, and /dev/shm may be too small.
	if err := unix.Mount("tmpfs", work, "tmpfs", 0, "size=1G"); err != nil {
		return fmt.Errorf("guest %s: tmpfs: %w", kernel, err)
	}
	defer unix.Unmount(work, unix.MNT_DETACH)
	dir, err := os.Getwd()
	if err != nil {
		return err
	}
	timeout := time.Duration(0)
	if end, ok := ctx.Deadline(); ok {
		timeout = time.Until(end) - 15*time.Second // to boot, and to tell what it was at
	}
	args, err := g.command(work, out, fmt.Sprintf(`quiet panic=-1 E2E_GUEST=%s E2E_CACHE=%s E2E_OUT=%s E2E_DIR=%s E2E_TIMEOUT=%s E2E_ONLY=%s E2E_PART=%d E2E_RUN="%s"`,
		kernel, cacheDir, out, dir, timeout, os.Getenv("E2E_ONLY"), part, run), part)
	if err != nil {
		return fmt.Errorf("guest %s: %w", kernel, err)
	}
	console, err := os.Create(filepath.Join(out, "console"))
	if err != nil {
		return err
	}
	defer console.Close()
	cmd := exec.CommandContext(ctx, args[0], args[1:]...)
	cmd.Stdout, cmd.Stderr = console, console
	cmd.Env = append(os.Environ(), "TMPDIR="+work)
	// A process id namespace: whatever the guest's kernel started goes with it.
	cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWPID, Pdeathsig: syscall.SIGKILL}
	// The guest dies with the thread that starts it, and threads that have entered
	// a namespace end: this one is to stay until the guest is over.
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	if err = cmd.Start(); err != nil {
		return fmt.Errorf("guest %s: %w", kernel, err)
	}
	over := make(chan bool)
	go powerOff(cmd, filepath.Join(out, "status"), over)
	err = cmd.Wait()
	close(over)
	status, serr := os.ReadFile(filepath.Join(out, "status"))
	if serr != nil && ctx.Err() != nil {
		return fmt.Errorf("guest %s: %w, see %s", kernel, context.Cause(ctx), out)
	}
	if serr != nil {
		return fmt.Errorf("guest %s did not run the tests, see %s: %w", kernel, console.Name(), errors.Join(err, serr))
	}
	log, err := os.ReadFile(filepath.Join(out, "log"))
	switch {
	case err != nil:
		return err
	case string(status) != "0":
		return fmt.Errorf("guest %s: tests ended with status %s, see %s/log", kernel, status, out)
	case !strings.Contains(string(log), "--- PASS: "):
		return fmt.Errorf("guest %s: no test of %q passed, see %s/log", kernel, run, out)
	}
	return nil
}

// powerOff ends a guest that has told its status and yet lives on, as UML does at
// times.
func powerOff(cmd *exec.Cmd, status string, over chan bool) {
	for {
		select {
		case <-over:
			return
		case <-time.After(time.Second):
			if info, err := os.Stat(status); err == nil && time.Since(info.ModTime()) > 5*time.Second {
				cmd.Process.Kill()
			}
		}
	}
}

func hostHas(files []string) error {
	for _, f := range files {
		if _, err := os.Stat(f); err != nil {
			return fmt.Errorf("%w: run e2e/install.sh as root", err)
		}
	}
	return nil
}

// staticExe is this binary. A guest starts it before there are libraries.
func staticExe() (string, error) {
	exe, err := os.Executable()
	if err != nil {
		return "", err
	}
	f, err := elf.Open(exe)
	if err != nil {
		return "", err
	}
	defer f.Close()
	if slices.ContainsFunc(f.Progs, func(p *elf.Prog) bool { return p.Type == elf.PT_INTERP }) {
		return "", errors.New("the test binary is not static: test with CGO_ENABLED=0")
	}
	return exe, nil
}

// umlCommand pins the kernel to one CPU: moving between two costs it most of its time.
func umlCommand(work, _, cmdline string, cpu int) ([]string, error) {
	exe, err := staticExe()
	if err != nil {
		return nil, err
	}
	var cpus unix.CPUSet
	if err := unix.SchedGetaffinity(0, &cpus); err != nil {
		return nil, err
	}
	nth := 0 // of those allowed
	for left := cpu % cpus.Count(); !cpus.IsSet(nth) || left > 0; nth++ {
		if cpus.IsSet(nth) {
			left--
		}
	}
	return []string{"taskset", "-c", strconv.Itoa(nth), "linux.uml", "mem=768M", "uml_dir=" + work,
		"rootfstype=hostfs", "rootflags=/", "ro", "init=" + exe, "con=null", "con0=null,fd:1", cmdline}, nil
}

func qemuCommand(work, out, cmdline string, _ int) ([]string, error) {
	initrd := filepath.Join(work, "initrd")
	if err := writeInitrd(initrd); err != nil {
		return nil, err
	}
	share := func(name, options string) []string {
		return []string{"-fsdev", "local,security_model=none,id=" + name + "," + options,
			"-device", "virtio-9p-pci,fsdev=" + name + ",mount_tag=" + name}
	}
	return slices.Concat([]string{"qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-M", "q35", "-m", "512M",
		"-nodefaults", "-no-user-config", "-no-reboot", "-display", "none", "-serial", "stdio"},
		share("root", "path=/,readonly=on,multidevs=remap"), share("out", "path="+out),
		[]string{"-kernel", cacheDir + "/qemu/vmlinuz", "-initrd", initrd, "-append", "console=ttyS0 " + cmdline}), nil
}

// writeInitrd archives this binary as /init, and the modules that a root on 9p
// needs, in their order, as /boot/*.
func writeInitrd(name string) error {
	exe, err := staticExe()
	if err != nil {
		return err
	}
	w, err := os.Create(name)
	if err != nil {
		return err
	}
	defer w.Close()
	modules, err := filepath.Glob(cacheDir + "/qemu/boot/*.ko")
	if err != nil {
		return err
	}
	err = errors.Join(cpio(w, "init", 0o100755, exe), cpio(w, "boot", 0o40755, ""))
	for _, m := range modules {
		err = errors.Join(err, cpio(w, "boot/"+filepath.Base(m), 0o100644, m))
	}
	return errors.Join(err, cpio(w, "TRAILER!!!", 0, ""))
}

// cpio writes one entry of a "newc" archive, with the contents of file if there is one.
func cpio(w io.Writer, name string, mode int, file string) error {
	var data []byte
	if file != "" {
		var err error
		if data, err = os.ReadFile(file); err != nil {
			return err
		}
	}
	pad := func(n int) string { return strings.Repeat("\x00", -n&3) }
	_, err := fmt.Fprintf(w, "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s\x00%s%s%s",
		0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name)+1, 0, name, pad(110+len(name)+1), data, pad(len(data)))
	return err
}

// guestMain is the guest's first process: it sets the guest up, runs the tests
// and powers off.
func guestMain() {
	if err := guestRun(); err != nil {
		fmt.Println("guest:", err)
	}
	unix.Sync()
	fmt.Println("guest:", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

func guestRun() error {
	kernel := os.Getenv("E2E_GUEST")
	outType, outData := "hostfs", os.Getenv("E2E_OUT")
	if kernel == "qemu" {
		outType, outData = "9p", "trans=virtio,version=9p2000.L"
		if err := root9p(); err != nil {
			return err
		}
	}
	for k, v := range map[string]string{"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "TMPDIR": "/mnt", "E2E_OUT": "/mnt/out"} {
		os.Setenv(k, v)
	}
	err := errors.Join(
		unix.Mount("proc", "/proc", "proc", 0, ""),
		unix.Mount("sys", "/sys", "sysfs", 0, ""),
		unix.Mount("run", "/run", "tmpfs", 0, "mode=755"),
		unix.Mount("mnt", "/mnt", "tmpfs", 0, ""), // not /tmp: this binary may be there
		os.Mkdir("/mnt/out", 0o755),
		unix.Mount("out", "/mnt/out", outType, 0, outData),
		os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0),
		os.Chdir(os.Getenv("E2E_DIR")),
	)
	if err != nil {
		return err
	}
	if out, err := exec.Command("modprobe", append([]string{"-d", cacheDir + "/" + kernel, "-a"}, guests[kernel].modules...)...).CombinedOutput(); err != nil {
		return fmt.Errorf("modprobe: %w: %s", err, out)
	}
	// For each combination of algorithms the kernel would ask for modules that
	// there are not, in an emulated machine for longer than the other end waits.
	if err := os.WriteFile("/proc/sys/kernel/modprobe", []byte("\n"), 0); err != nil {
		return err
	}
	log, err := os.Create("/mnt/out/log")
	if err != nil {
		return err
	}
	test, err := os.StartProcess("/proc/self/exe", []string{"e2e.test", "-test.v", "-test.parallel=64",
		"-test.run=" + os.Getenv("E2E_RUN"), "-test.timeout=" + os.Getenv("E2E_TIMEOUT")},
		&os.ProcAttr{Files: []*os.File{nil, log, log}})
	if err != nil {
		return err
	}
	for {
		var status unix.WaitStatus
		switch pid, err := unix.Wait4(-1, &status, 0, nil); {
		case err != nil && err != unix.EINTR:
			return err
		case pid == test.Pid:
			return os.WriteFile("/mnt/out/status", []byte(strconv.Itoa(status.ExitStatus())), 0o666)
		}
	}
}

// root9p makes the host's root, shared read-only, the root of all that follows.
func root9p() error {
	modules, err := filepath.Glob("/boot/*.ko")
	if err != nil {
		return err
	}
	for _, name := range modules {
		f, err := os.Open(name)
		if err != nil {
			return err
		}
		if err := unix.FinitModule(int(f.Fd()), "", 0); err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		f.Close()
	}
	return errors.Join(
		os.Mkdir("/host", 0o755),
		unix.Mount("root", "/host", "9p", unix.MS_RDONLY, "trans=virtio,version=9p2000.L,cache=loose,msize=524288"),
		os.Chdir("/host"),
		unix.Mount(".", "/", "", unix.MS_MOVE, ""),
		unix.Chroot("."),
		os.Chdir("/"),
		unix.Mount("dev", "/dev", "devtmpfs", 0, ""),
	)
}

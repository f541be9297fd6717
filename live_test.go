package main

import (
	"bytes"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"peerconf/fetch/apitest"
)

// TestLiveScripts runs the program against an endpoint of each script's own.
// The even connections are on vpn-1, the odd ones on vpn-2; vco-0006 is
// deleted before it can be downloaded.
func TestLiveScripts(t *testing.T) {
	files, err := filepath.Glob("testdata/script/live_*.txtar")
	if err != nil || len(files) == 0 {
		t.Fatal("no scripts", err)
	}
	testscript.Run(t, testscript.Params{
		Files: files,
		Setup: func(env *testscript.Env) error {
			live := newLive()
			env.Defer(live.Close)
			env.Values["live"] = live
			for name, value := range map[string]string{
				"API": live.URL, "HOME": env.WorkDir, "ALIBABA_CLOUD_ECS_METADATA_DISABLED": "true",
				"ALIBABA_CLOUD_ACCESS_KEY_ID": apitest.KeyID, "ALIBABA_CLOUD_ACCESS_KEY_SECRET": apitest.Secret,
				"GORACE": "atexit_sleep_ms=0",
			} {
				env.Setenv(name, value)
			}
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){"exits": exits, "perm": perm, "interrupted": interrupted},
	})
}

// live is an endpoint with the faults the scripts tell of.
type live struct {
	*apitest.Server
	hanging chan struct{} // told when a call hangs
}

func newLive() *live {
	hanging := make(chan struct{}, 1)
	fault := func(c apitest.Call) *apitest.Fault {
		switch {
		case c.ID == "vco-0006" && c.Action == "DownloadVpnConnectionConfig":
			return &apitest.Fault{Status: 404, Code: "InvalidVpnConnectionInstanceId.NotFound"}
		case c.ID == "vco-denied":
			return &apitest.Fault{Status: 403, Code: "Forbbiden.SubUser"}
		case c.ID == "vco-hangs":
			hanging <- struct{}{}
			return &apitest.Fault{Hang: true}
		}
		return nil
	}
	return &live{apitest.New(8, false, func(s *apitest.Server) { s.Fault = fault }), hanging}
}

// exits runs a command and checks its exit code, and that it keeps its secrets:
// exits CODE PROGRAM ARGUMENT…
func exits(ts *testscript.TestScript, _ bool, args []string) {
	code := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		code = exit.ExitCode()
	} else {
		ts.Check(err)
	}
	if strconv.Itoa(code) != args[0] {
		ts.Fatalf("exit code %d, want %s", code, args[0])
	}
	for _, secret := range []string{apitest.Secret, apitest.KeyID, "Signature=", "psk-0"} {
		if strings.Contains(ts.ReadFile("stderr"), secret) {
			ts.Fatalf("%s stands on stderr", secret)
		}
	}
}

// perm checks a file's permissions: perm 600 FILE.
func perm(ts *testscript.TestScript, _ bool, args []string) {
	info, err := os.Stat(ts.MkAbs(args[1]))
	ts.Check(err)
	if got := strconv.FormatInt(int64(info.Mode().Perm()), 8); got != args[0] {
		ts.Fatalf("%s has permissions %s", args[1], got)
	}
}

// interrupted runs a command, interrupts it when a call hangs, and checks that
// it ends quietly, as shells expect. With -term it is told to stop instead.
func interrupted(ts *testscript.TestScript, _ bool, args []string) {
	sig := syscall.SIGINT
	if args[0] == "-term" {
		sig, args = syscall.SIGTERM, args[1:]
	}
	var said bytes.Buffer
	self, err := exec.LookPath("peerconf")
	ts.Check(err)
	cmd := exec.Command(self, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = ts.MkAbs("."), &said, &said
	for _, name := range []string{"HOME", "PATH", "GORACE", "GOCOVERDIR", "TMPDIR", "ALIBABA_CLOUD_ACCESS_KEY_ID", "ALIBABA_CLOUD_ACCESS_KEY_SECRET"} {
		cmd.Env = append(cmd.Env, name+"="+ts.Getenv(name))
	}
	ts.Check(cmd.Start())
	select {
	case <-ts.Value("live").(*live).hanging:
	case <-time.After(20 * time.Second):
		ts.Fatalf("no call hangs")
	}
	ts.Check(cmd.Process.Signal(sig))
	cmd.Wait()
	if code := cmd.ProcessState.ExitCode(); code != exitSignal+int(sig) || said.Len() > 0 {
		ts.Fatalf("exit code %d: %s", code, said.String())
	}
}

func TestProgressIsForTerminals(t *testing.T) {
	var to bytes.Buffer
	var at time.Time
	p := newProgress(&to, func() time.Time { return at })
	p.to = &to
	p.report(1, 9)
	at = at.Add(2 * time.Second)
	p.report(5, 9)
	p.clear()
	if want := "\rpeerconf: 5 of 9 calls\x1b[K\r\x1b[K"; to.String() != want {
		t.Errorf("got %q", to.String())
	}
	to.Reset()
	silent := newProgress(&to, func() time.Time { at = at.Add(time.Hour); return at })
	silent.report(5, 9)
	if silent.clear(); to.Len() > 0 {
		t.Errorf("told a file %q", to.String())
	}
}

// TestBinaryIsWithoutServices keeps the 20 MB of the SDK's generated calls out.
func TestBinaryIsWithoutServices(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	for _, dependency := range strings.Fields(string(out)) {
		if strings.Contains(dependency, "alibaba-cloud-sdk-go/services") || slices.Contains([]string{"testing", "peerconf/fetch/apitest"}, dependency) {
			t.Errorf("depends on %s", dependency)
		}
	}
}

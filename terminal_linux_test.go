package main

import (
	"bytes"
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"peerconf/fetch/apitest"
)

// terminal opens a pseudo-terminal and gives the end a program writes to.
func terminal(t *testing.T) *os.File {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { tty.Close() })
	return tty
}

// TestNoKeysOnTerminals refuses to fetch to a terminal.
func TestNoKeysOnTerminals(t *testing.T) {
	s := apitest.New(2, false)
	defer s.Close()
	t.Setenv("HOME", t.TempDir())
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_ID", apitest.KeyID)
	t.Setenv("ALIBABA_CLOUD_ACCESS_KEY_SECRET", apitest.Secret)
	args := []string{"peerconf", "fetch", "--region", apitest.Region, "--endpoint", s.URL, "--all", "-o", "-"}
	var stdout, stderr bytes.Buffer
	if code := run(args, strings.NewReader(""), terminal(t), &stderr); code != exitTrouble || !strings.Contains(stderr.String(), "pre-shared keys on the terminal") {
		t.Errorf("exit code %d: %s", code, stderr.String())
	}
	if code := run(args, strings.NewReader(""), &stdout, &stderr); code != exitDone || !strings.Contains(stdout.String(), apitest.Key(0)) {
		t.Errorf("to a pipe: exit code %d: %s", code, stderr.String())
	}
}

//go:build e2e

package e2e

import (
	"context"
	"os"
	"os/exec"
	"testing"
	"time"
)

func up() string { b, _ := os.ReadFile("/proc/uptime"); return string(b) }
func TestGuestKernel(t *testing.T) {
	if os.Getenv("E2E_GUEST") == "" {
		t.Skip()
	}
	t.Log("uptime", up())
	for _, c := range []string{"ip link", "ip link", "/bin/true", "/bin/true", "sh -c :", "sh -c :", "swanctl --version", "swanctl --version"} {
		s := time.Now()
		b, err := exec.Command("sh", "-c", c).Output()
		_ = b
		t.Log(c, time.Since(s), err)
	}
}

func TestGuests(t *testing.T) {
	for kernel := range guests {
		t.Run(kernel, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			out := t.TempDir()
			s := time.Now()
			err := runGuest(ctx, kernel, "^TestGuestKernel$", out)
			l, _ := os.ReadFile(out + "/log")
			c, _ := os.ReadFile(out + "/console")
			t.Logf("%v %v\n%s\n%s", err, time.Since(s), l, c)
		})
	}
}

package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// up refuses to listen to other machines without --osc-allow, and refuses a token file that
// everybody may read. Nothing is started then.
func TestUpRefusesOpenDoors(t *testing.T) {
	open := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(open, []byte("0123456789abcdef"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, flags := range map[string][]string{
		"list those that may play with --osc-allow":               {"--osc", "0.0.0.0:0"},
		`--osc-allow: network "all": invalid; use 192.168.1.0/24`: {"--osc", "0.0.0.0:0", "--osc-allow", "all"},
		"--osc-token-file: token file " + open + ": accessible":   {"--osc-token-file", open},
		"--osc-token-file: token file: stat " + open + "x: no ":   {"--osc-token-file", open + "x"},
	} {
		_, errOut, code := chronus(append([]string{"up", "--runtime-dir", t.TempDir(), "--state", "none", "--backend", "null"}, flags...)...)
		if code == 0 || !strings.Contains(errOut, want) {
			t.Errorf("%v: %d, %s, want %s", flags, code, errOut, want)
		}
	}
}

// An engine with --osc-allow and a token still answers this machine, and checks the token.
func TestUpForOthers(t *testing.T) {
	secret := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(secret, []byte("0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	e := up(t, "--backend", "null", "--lead", "64", "--osc", "127.0.0.1:0", "--osc-allow", "192.168.1.0/24,fd00::/8", "--osc-token-file", secret)
	for _, tt := range []struct{ token, want string }{{"0123456789abcdeX", `/fail "/auth" "wrong token"`}, {"0123456789abcdef", `/done "/auth"`}} {
		reply, _, err := sendOSC(e.must().OSC, replyWait, "/auth", tt.token)
		if err != nil || reply != tt.want {
			t.Errorf("%s: %s, %v", tt.token, reply, err)
		}
	}
}

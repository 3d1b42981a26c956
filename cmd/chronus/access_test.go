package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// Other machines are let in only by who says which, and a token only from a file that not everybody reads: else nothing is started.
func TestUpRefusesOpenDoors(t *testing.T) {
	open := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(open, []byte("0123456789abcdef"), 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(open, 0o644); err != nil {
		t.Fatal(err)
	}
	for want, flags := range map[string][]string{
		"list those that may play with --osc-allow":          {"--osc", "0.0.0.0:0"},
		`--osc-allow: "all" is no network: it must be like`:     {"--osc", "0.0.0.0:0", "--osc-allow", "all"},
		"--osc-token-file: token file " + open + ": everybody":  {"--osc-token-file", open},
		"--osc-token-file: token file: stat " + open + "x: no ": {"--osc-token-file", open + "x"},
	} {
		_, errOut, code := chronus(append([]string{"up", "--runtime-dir", t.TempDir(), "--state", "none", "--backend", "null"}, flags...)...)
		if code == 0 || !strings.Contains(errOut, want) {
			t.Errorf("%v: %d, %s, want %s", flags, code, errOut, want)
		}
	}
}

// Who is allowed for is let in beside this machine, and the token's file is read.
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

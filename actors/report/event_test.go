package report_test

import (
	"os"
	"reflect"
	"regexp"
	"testing"

	"github.com/music-chronus/chronus/actors/report"
)

func TestKindsListsEveryEvent(t *testing.T) {
	b, err := os.ReadFile("event.go")
	if err != nil {
		t.Fatal(err)
	}
	missing := map[string]bool{}
	for _, m := range regexp.MustCompile(`(?m)^func \((?:\w+ )?(\w+)\) event\(\)`).FindAllSubmatch(b, -1) {
		missing[string(m[1])] = true
	}
	if len(missing) < 24 {
		t.Fatalf("event.go declares %d kinds; there were 24", len(missing))
	}
	for _, ev := range report.Kinds() {
		delete(missing, reflect.TypeOf(ev).Name())
	}
	if len(missing) > 0 {
		t.Errorf("missing in Kinds: %v", missing)
	}
}

func TestDeviceProblemEndsWithoutText(t *testing.T) {
	begun, ended := report.DeviceProblem{Device: "card", Problem: "no power"}, report.DeviceProblem{Device: "card"}
	if got, want := begun.String(), `device "card": no power`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got, want := ended.String(), `device "card" has recovered`; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if begun.Level() <= ended.Level() {
		t.Errorf("levels %v and %v: a problem is more severe than its end", begun.Level(), ended.Level())
	}
}

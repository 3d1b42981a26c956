package osc_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/osc"
)

// Every code has a name of its own: they are the keys of Stats.RefusedByCode.
func TestCodeNames(t *testing.T) {
	names := map[string]bool{}
	for c := range osc.Code(osc.NumCodes) {
		if name := c.String(); name == "" || names[name] {
			t.Errorf("code %d is called %q", c, name)
		}
		names[c.String()] = true
	}
	if s := osc.Code(99).String(); s != "code 99" {
		t.Error(s)
	}
}

// A refusal keeps its code when it is wrapped; other errors are rejections.
func TestRefusalOf(t *testing.T) {
	busy := osc.Refuse(osc.CodeBusy, "no room for %d", 5)
	for _, tt := range []struct {
		err    error
		code   osc.Code
		reason string
	}{
		{busy, osc.CodeBusy, "no room for 5"},
		{fmt.Errorf("/a: %w", busy), osc.CodeBusy, "/a: no room for 5"},
		{errors.New("broken"), osc.CodeRejected, "broken"},
		{&osc.Refusal{Code: osc.CodeBadTime, Address: "/old", Reason: "late"}, osc.CodeBadTime, "late"},
	} {
		r := osc.RefusalOf("/x", tt.err)
		if r.Code != tt.code || r.Reason != tt.reason || r.Address != "/x" || r.Error() != "/x: "+tt.reason {
			t.Errorf("%v: %+v", tt.err, r)
		}
	}
	if busy.Address != "" || busy.Error() != "no room for 5" {
		t.Errorf("%+v", busy)
	}
	if r := osc.Refuse(osc.CodeRejected, "%s", strings.Repeat("x", 1000)); len(r.Reason) != osc.MaxReason {
		t.Errorf("%d bytes", len(r.Reason))
	}
}

// The refusals of a space and of patterns have their codes.
func TestRefusalCodes(t *testing.T) {
	s, err := osc.NewSpace([]osc.Entry{{Address: "/a/b", Max: 1}, {Address: "/a/t", Kind: osc.Text, Most: 4}, {Address: "/q", Kind: osc.Query}})
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		address string
		args    []osc.Arg
		want    osc.Code
	}{
		{"/a/b", nil, osc.CodeBadArgument},
		{"/a/b", []osc.Arg{{Tag: 'T'}}, osc.CodeBadArgument},
		{"/a/t", []osc.Arg{{Tag: 'T'}}, osc.CodeBadArgument},
		{"/q", []osc.Arg{{Tag: 'T'}}, osc.CodeBadArgument},
		{"/a/c", nil, osc.CodeUnknownAddress},
		{"/a/*", nil, osc.CodeBadPattern},
	} {
		_, _, err := s.Resolve(&osc.Message{Address: []byte(tt.address), Args: tt.args})
		if r := (*osc.Refusal)(nil); !errors.As(err, &r) || r.Code != tt.want {
			t.Errorf("%s: %v, want %v", tt.address, err, tt.want)
		}
	}
	var p osc.Patterns
	p.Reset()
	for _, pattern := range []string{"/b*", "/a/[", "/a/*/", "/a/{{}"} {
		_, err := p.Match(s, []byte(pattern))
		if r := (*osc.Refusal)(nil); !errors.As(err, &r) || r.Code != osc.CodeBadPattern {
			t.Errorf("%s: %v", pattern, err)
		}
	}
}

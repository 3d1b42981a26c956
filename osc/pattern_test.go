package osc_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/osc"
)

// treeOf returns a space of gates.
func treeOf(t testing.TB, addresses ...string) *osc.Space {
	t.Helper()
	var entries []osc.Entry
	for _, a := range addresses {
		entries = append(entries, osc.Entry{Address: a, Kind: osc.Gate})
	}
	s, err := osc.NewSpace(entries)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// matched lists the addresses that a pattern matches, or the error.
func matched(s *osc.Space, pattern string) string {
	var p osc.Patterns
	p.Reset()
	found, err := p.Match(s, []byte(pattern))
	if err != nil {
		return err.Error()
	}
	var list []string
	for _, e := range found {
		list = append(list, s.Entries()[e].Address)
	}
	return strings.Join(list, " ")
}

func TestMatch(t *testing.T) {
	s := treeOf(t, "/foo", "/foo/bar", "/foobar", "/x/foo", "/a/b/c", "/a/c", "/b/b/c", "/ch1/gain", "/ch2/gain", "/ch12/gain", "/chx/gain", "/a-b", "/a!b")
	for pattern, want := range map[string]string{
		"/foo?":            "pattern matches no address",
		"/f*":              "/foo /foobar",
		"/*":               "/foo /foobar /a-b /a!b",
		"/*/*":             "/foo/bar /x/foo /a/c /ch1/gain /ch2/gain /ch12/gain /chx/gain",
		"/ch[1-3]/gain":    "/ch1/gain /ch2/gain",
		"/ch[3-1]/gain":    "/ch1/gain /ch2/gain",
		"/ch[!1-3]/gain":   "/chx/gain",
		"/ch[!x]/gain":     "/ch1/gain /ch2/gain",
		"/ch[x2]/*":        "/ch2/gain /chx/gain",
		"/ch[1-]/gain":     "/ch1/gain",
		"/a[-!]b":          "/a-b /a!b",
		"/a[!-]b":          "/a!b",
		"/ch{1,12}/gain":   "/ch1/gain /ch12/gain",
		"/ch{12,1}{,2}/*":  "/ch1/gain /ch12/gain",
		"/{foo,x}":         "/foo",
		"/{foo,x}/*":       "/foo/bar /x/foo",
		"/{foo,foobar}*":   "/foo /foobar",
		"/ch*2/gain":       "/ch2/gain /ch12/gain",
		"/*h*/*a*n":        "/ch1/gain /ch2/gain /ch12/gain /chx/gain",
		"//c":              "/a/b/c /a/c /b/b/c",
		"/a//c":            "/a/b/c /a/c",
		"//b/c":            "/a/b/c /b/b/c",
		"//foo":            "/foo /x/foo",
		"//*//c":           "/a/b/c /a/c /b/b/c",
		"//ch?/gain":       "/ch1/gain /ch2/gain /chx/gain",
		"/foo*":            "/foo /foobar",
		"/foo+":            "pattern matches no address",
		"/fo{o":            "pattern has an empty or unclosed",
		"/fo[o":            "pattern has an empty or unclosed",
		"/fo[]":            "pattern has an empty or unclosed",
		"/fo[!]":           "pattern has an empty or unclosed",
		"/fo{}":            "pattern has an empty or unclosed",
		"/fo]":             "pattern has [ * ? or { inside { }, or an unopened",
		"/fo}":             "pattern has [ * ? or { inside { }, or an unopened",
		"/{fo,{o}}":        "pattern has [ * ? or { inside { }, or an unopened",
		"/{f*}":            "pattern has [ * ? or { inside { }, or an unopened",
		"/f*/":             "pattern must not end with /",
		"/f*//":            "pattern must not end with /",
		"///foo":           "pattern must not end with / nor contain ///",
		"/foo/*/*":         "pattern matches no address",
		"/{foo/bar,x/foo}": "pattern has an empty or unclosed",
	} {
		if got := matched(s, pattern); got != want && !(strings.HasPrefix(want, "pattern") && strings.HasPrefix(got, want)) {
			t.Errorf("%s: %s, want %s", pattern, got, want)
		}
	}
	if got := matched(s, "/"+strings.Repeat("*", osc.MaxAddress)); !strings.Contains(got, "at most 255 bytes") {
		t.Error(got)
	}
}

// Patterns match neither queries nor addresses that require the token.
func TestMatchGuarded(t *testing.T) {
	s, err := osc.NewSpace([]osc.Entry{{Address: "/e/amp", Max: 1}, {Address: "/e/status", Kind: osc.Query}, {Address: "/e/load", Kind: osc.Text, RequiresToken: true}})
	if err != nil {
		t.Fatal(err)
	}
	if got := matched(s, "/e/*"); got != "/e/amp" {
		t.Error(got)
	}
}

// wideSpace is as large as the space of a large patch.
func wideSpace(t testing.TB) *osc.Space {
	var list []string
	for n := range 250 {
		for p := range 8 {
			list = append(list, fmt.Sprintf("/mod/%s%d/%s%d", strings.Repeat("a", 40), n, strings.Repeat("a", 60), p))
		}
	}
	return treeOf(t, list...)
}

// Hostile patterns end within the steps. Once the steps are used up, further patterns of the packet
// cost nothing. Honest patterns fit.
func TestMatchIsBounded(t *testing.T) {
	s := wideSpace(t)
	for _, pattern := range []string{
		"/" + strings.Repeat("*", 250), "//" + strings.Repeat("*a", 120), "/*/*/" + strings.Repeat("*a", 100) + "b", "/" + strings.Repeat("/*/", 80) + "x",
		"/*/*/" + strings.Repeat("{,}", 80), "/*/*/" + strings.Repeat("{a,aa}", 40), "/*/*/" + strings.Repeat("[!b]*", 40), strings.Repeat("//*", 80), "/m*/{" + strings.Repeat(",", 240) + "}",
	} {
		var p osc.Patterns
		began := time.Now()
		for range osc.MaxElements {
			_, _ = p.Match(s, []byte(pattern))
		}
		p.Reset()
		for range osc.MaxElements {
			_, _ = p.Match(s, []byte(pattern))
		}
		if took := time.Since(began); took > time.Second { // it takes some milliseconds
			t.Errorf("%.40s: %v", pattern, took)
		}
		if p.Steps() < -osc.MaxAddress {
			t.Errorf("%.40s: %d steps too many", pattern, -p.Steps())
		}
	}
	if got := matched(s, "/"+strings.Repeat("/*", 40)); !strings.Contains(got, "matches no address") && !strings.Contains(got, "more than") {
		t.Error(got)
	}
	var p osc.Patterns
	p.Reset()
	for pattern, want := range map[string]int{"/mod/*/a*[0-3]": 1000, "/mod/aaaa*{1,7,33}/aa*": 424} {
		if found, err := p.Match(s, []byte(pattern)); err != nil || len(found) != want {
			t.Errorf("%s: %d, %v", pattern, len(found), err)
		}
	}
	if used := osc.PatternSteps - p.Steps(); used > 3*osc.PatternSteps/4 {
		t.Errorf("two honest patterns over 2,000 addresses took %d steps", used)
	}
}

func TestMatchNoAllocs(t *testing.T) {
	s := treeOf(t, "/mod/a/x", "/mod/b/x", "/mod/b/y")
	var p osc.Patterns
	pattern := []byte("/mod/{a,b}/[x-z]")
	n := testing.AllocsPerRun(100, func() {
		p.Reset()
		if found, err := p.Match(s, pattern); err != nil || len(found) != 3 {
			t.Fatal(found, err)
		}
	})
	if n != 0 {
		t.Errorf("%v allocations a pattern", n)
	}
}

// plainMatch is the specification, part by part and character by character; it may take exponential
// time.
func plainMatch(pattern, address string) bool {
	if pattern == "" || address == "" {
		return pattern == address
	}
	if rest, ok := strings.CutPrefix(pattern, "//"); ok {
		for at := 0; at < len(address); at++ {
			if address[at] == '/' && plainMatch("/"+rest, address[at:]) {
				return true
			}
		}
		return false
	}
	p, pRest := cutPart(pattern)
	a, aRest := cutPart(address)
	return plainPart(p, a) && plainMatch(pRest, aRest)
}

func cutPart(s string) (part, rest string) {
	end := strings.IndexByte(s[1:], '/')
	if end < 0 {
		return s[1:], ""
	}
	return s[1 : 1+end], s[1+end:]
}

func plainPart(p, s string) bool {
	if p == "" {
		return s == ""
	}
	switch p[0] {
	case '*':
		return plainPart(p[1:], s) || s != "" && plainPart(p, s[1:])
	case '?':
		return s != "" && plainPart(p[1:], s[1:])
	case '{':
		inside, rest, _ := strings.Cut(p[1:], "}")
		return slices.ContainsFunc(strings.Split(inside, ","), func(one string) bool {
			after, ok := strings.CutPrefix(s, one)
			return ok && plainPart(rest, after)
		})
	case '[':
		inside, rest, _ := strings.Cut(p[1:], "]")
		return s != "" && plainClass(inside, s[0]) && plainPart(rest, s[1:])
	}
	return s != "" && p[0] == s[0] && plainPart(p[1:], s[1:])
}

func plainClass(inside string, c byte) bool {
	inside, negated := strings.CutPrefix(inside, "!")
	in := false
	for i := 0; i < len(inside); i++ {
		lo, hi := inside[i], inside[i]
		if i+2 < len(inside) && inside[i+1] == '-' {
			hi = inside[i+2]
			i += 2
		}
		in = in || c >= min(lo, hi) && c <= max(lo, hi)
	}
	return in != negated
}

// Every pattern ends, and matches the addresses that plainMatch finds.
func FuzzMatch(f *testing.F) {
	for _, pattern := range []string{"/*", "//c", "/a/{b,c}", "/[!a-b]*", "/ch[1-3]/g?in", "/a//*", "/{a,}b*", "/[z-a]", "/[]", "/{{", "/+a)}", "/\\d", strings.Repeat("/*", 100), "/" + strings.Repeat("{,}", 80)} {
		f.Add(pattern)
	}
	addresses := []string{"/a", "/b", "/ab", "/a/b", "/a/c", "/a/b/c", "/ch1/gain", "/ch12/gain", "/a-b/!", "/b/a/b/a", "/aa/bb", "/abc/abc", "/0/1/2/3/c"}
	space := treeOf(f, addresses...)
	var p osc.Patterns
	f.Fuzz(func(t *testing.T, pattern string) {
		p.Reset()
		found, err := p.Match(space, []byte(pattern))
		if p.Steps() < -osc.MaxAddress {
			t.Fatalf("%q: %d steps", pattern, osc.PatternSteps-p.Steps())
		}
		if err != nil && err != osc.ErrPatternNothing || len(pattern) > 40 {
			return // plainMatch would accept it, or take exponential time
		}
		for i, a := range addresses {
			if want := plainMatch(pattern, a); want != slices.Contains(found, i) {
				t.Fatalf("%q matches %s: %t, want %t", pattern, a, !want, want)
			}
		}
	})
}

package actors

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/replica"
)

// A request is answered once: by the tree that it was given to, or as lost with that; what comes while there is none goes to the next, in order.
func TestErrands(t *testing.T) {
	var l errands
	var sent, refused []string
	answers := map[string]func(){}
	ask := func(name string) {
		l.do(func(answered func()) {
			sent = append(sent, name)
			answers[name] = answered
		}, func(err error) { refused = append(refused, fmt.Sprint(name, " ", errors.Is(err, errLost))) })
	}
	expect := func(wantSent, wantRefused []string, open int) {
		t.Helper()
		if !slices.Equal(sent, wantSent) || !slices.Equal(refused, wantRefused) || len(l.open) != open {
			t.Errorf("sent %v, refused %v, open %d; want %v, %v, %d", sent, refused, len(l.open), wantSent, wantRefused, open)
		}
		sent, refused = nil, nil
	}
	ask("a")
	ask("b")
	answers["a"]()
	answers["a"]() // as when it was poison
	expect([]string{"a", "b"}, nil, 1)
	l.fall()
	ask("c")
	ask("d")
	expect(nil, nil, 3)
	l.lose(false, errLost)
	expect(nil, []string{"b true"}, 2)
	ask("e")
	l.rise()
	expect([]string{"c", "d", "e"}, nil, 3)
	answers["d"]()
	l.fall()
	ask("f")
	l.lose(true, replica.ErrStopped)
	expect(nil, []string{"c false", "e false", "f false"}, 0)
}

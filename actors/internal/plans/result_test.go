package plans_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/music-chronus/chronus/actors/internal/plans"
)

// The requester of a change that is left out is answered once, whenever that becomes known, and
// however many workers crashed.
func TestResult(t *testing.T) {
	bad, other := errors.New("left out"), errors.New("too late")
	for _, tt := range []struct {
		what string
		do   func(v *plans.Result) error // what change returns
		want string
	}{
		{"good", func(v *plans.Result) error { return v.Return(nil) }, "[<nil>]"},
		{"refused", func(v *plans.Result) error { return v.Return(other) }, "[too late]"},
		{"left out meanwhile", func(v *plans.Result) error { v.LeftOut(bad); return v.Return(nil) }, "[left out]"},
		{"left out meanwhile, and noticed", func(v *plans.Result) error { v.LeftOut(bad); return v.Return(other) }, "[too late]"},
		{"left out afterwards", func(v *plans.Result) error { err := v.Return(nil); v.LeftOut(bad); v.LeftOut(bad); return err }, "[left out <nil>]"},
		{"given up, and left out afterwards", func(v *plans.Result) error { err := v.Return(other); v.LeftOut(bad); return err }, "[too late]"},
	} {
		var told []error
		v := &plans.Result{Answer: func(err error) { told = append(told, err) }}
		told = append(told, tt.do(v))
		if got := fmt.Sprint(told); got != tt.want {
			t.Errorf("%s: %s, want %s", tt.what, got, tt.want)
		}
	}
}

package plan_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/cmd/chronus/internal/chaos/plan"
)

var errEnough = errors.New("enough steps")

// walked describes the faults of a plan in order, at most so many.
func walked(p *plan.Plan, most int) (list []string) {
	_ = p.Walk(func(s *plan.Step) error {
		if len(list) == most {
			return errEnough
		}
		when := fmt.Sprintf("after %v", s.After)
		if s.Timed {
			when = fmt.Sprintf("at %v", s.At)
		}
		list = append(list, fmt.Sprintf("%s %s %v", when, strings.Join(s.Faults, "|"), s.Length))
		return nil
	})
	return list
}

func TestPlanText(t *testing.T) {
	for _, tt := range []struct {
		text string
		want []string
	}{
		{"- fault: kill\n", []string{"after 0s kill 0s"}},
		{"- {at: 2.5s, fault: kill}\n- {after: 1s, fault: stall, for: 300ms}\n", []string{"at 2.5s kill 0s", "after 1s stall 300ms"}},
		{"- {repeat: 2, after: 10ms, fault: stop}\n", []string{"after 10ms stop 0s", "after 10ms stop 0s"}},
		{"[{fault: [kill, term]}, {fault: any}]", []string{"after 0s kill|term 0s", "after 0s any 0s"}},
		{"- repeat: 2\n  steps:\n    - fault: all\n    - {repeat: 2, fault: pair}\n- {at: 1m, fault: audio}\n",
			[]string{"after 0s all 0s", "after 0s pair 0s", "after 0s pair 0s", "after 0s all 0s", "after 0s pair 0s", "after 0s pair 0s", "at 1m0s audio 0s"}},
		{"- {at: 0, fault: kill}\n- {at: 0s, fault: kill} # twice at once\n", []string{"at 0s kill 0s", "at 0s kill 0s"}},
	} {
		p, err := plan.Parse("p", []byte(tt.text))
		if err != nil {
			t.Errorf("%q: %v", tt.text, err)
			continue
		}
		if got := walked(p, 20); !slices.Equal(got, tt.want) {
			t.Errorf("%q:\n got %q\nwant %q", tt.text, got, tt.want)
		}
	}
}

// An error names line and column, and says what would be right.
func TestPlanErrors(t *testing.T) {
	const kinds = "kill, term, segv, stop, stall, standby, pair, all, audio, engine, burst, malformed"
	for _, tt := range []struct{ text, want string }{
		{"", "plan p: empty; write a list of steps like - {after: 1s, fault: kill}"},
		{"fault: kill\n", "plan p:1:6: a plan must have steps: write a list of steps like - {after: 1s, fault: kill}"},
		{"[]", "plan p:1:1: a plan must have steps: write a list of steps like - {after: 1s, fault: kill}"},
		{"- kill\n", "plan p:1:3: a step must be a mapping: write a list of steps like - {after: 1s, fault: kill}"},
		{"- {fault: kil}\n", `plan p:1:11: unknown fault "kil"; the faults are ` + kinds + ", and any"},
		{"- {fault: [kill, any]}\n", `plan p:1:18: unknown fault "any"; the faults are ` + kinds + ", and any"},
		{"- {fault: []}\n", "plan p:1:11: fault is an empty list; the faults are " + kinds},
		{"- {fault: 3}\n", "plan p:1:11: fault must be a word or a list of words; the faults are " + kinds},
		{"- {when: 1s, fault: kill}\n", `plan p:1:4: unknown key "when" in a step; the keys are at, after, fault, for, repeat, steps`},
		{"- {at: 1s}\n", "plan p:1:3: a step needs fault or steps"},
		{"- fault: kill\n- after: 1s\n", "plan p:2:3: a step needs fault or steps"},
		{"- {at: 2, fault: kill}\n", "plan p:1:8: at must be a time with its unit, like 2.5s or 300ms"},
		{"- {after: soon, fault: kill}\n", "plan p:1:11: after must be a time with its unit, like 2.5s or 300ms"},
		{"- {after: -1s, fault: kill}\n", "plan p:1:11: after -1s is outside 0s to 1000h0m0s"},
		{"- {at: 1s, after: 1s, fault: kill}\n", "plan p:1:8: at and after exclude each other"},
		{"- {at: 2s, fault: kill}\n- {at: 1s, fault: kill}\n", "plan p:2:8: at 1s is before the 2s of a step above"},
		{"- {repeat: 2, at: 1s, fault: kill}\n", "plan p:1:19: a repeated step has no single time: use after, not at"},
		{"- repeat: 2\n  steps: [{at: 1s, fault: kill}]\n", "plan p:2:16: a repeated step has no single time: use after, not at"},
		{"- {repeat: 0, fault: kill}\n", "plan p:1:12: repeat must be a whole number from 1 to 1000000"},
		{"- {repeat: 1.5, fault: kill}\n", "plan p:1:12: repeat must be a whole number from 1 to 1000000"},
		{"- {fault: kill, steps: [{fault: kill}]}\n", "plan p:1:24: fault and steps exclude each other"},
		{"- {after: 1s, steps: [{fault: kill}]}\n", "plan p:1:11: after belongs to a step with fault, not to one with steps"},
		{"- {fault: kill, for: 1s}\n", "plan p:1:22: for belongs to the fault stall alone"},
		{"- {fault: stall, for: 2m}\n", "plan p:1:23: for 2m0s is outside 1ms to 1m0s"},
		{"- {fault: stall, for: 0}\n", "plan p:1:23: for 0s is outside 1ms to 1m0s"},
		{strings.Repeat("[", 17), "plan p:1:17: brackets are nested too deep; the maximum is 16"},
		{strings.Repeat("\n", 4097), "plan p: 4097 lines; the maximum is 4096"},
		{strings.Repeat("x", 65537), "plan p: 65537 bytes; the maximum is 65536"},
	} {
		_, err := plan.Parse("p", []byte(tt.text))
		if err == nil || err.Error() != tt.want {
			t.Errorf("%.60q:\n got %v\nwant %s", tt.text, err, tt.want)
		}
	}
	for _, text := range []string{"- {fault: kill", "- fault: kill\n- {fault: kill, fault: term}\n", "\x00", "- {<<: *a}"} {
		if _, err := plan.Parse("p", []byte(text)); err == nil || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// Any text is a plan that can be walked, or gives an error of one line.
func FuzzPlan(f *testing.F) {
	for _, s := range []string{
		"", "- fault: kill", "- {at: 1s, fault: [kill, stop]}\n- {repeat: 3, steps: [{fault: any}]}", "- {fault: stall, for: 10ms}",
		"{", "- - -", "a: &x [*x]", "- &x {steps: [*x]}", "? a\n: b", "<<: *a", "- {repeat: 0x10, fault: kill}",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		p, err := plan.Parse("p", []byte(text))
		if err != nil {
			if strings.Contains(err.Error(), "\n") {
				t.Fatalf("an error of several lines: %v", err)
			}
			return
		}
		if got := walked(p, 100); len(got) == 0 {
			t.Fatal("a plan without a fault")
		}
		for _, replicas := range []int{1, 8} {
			_ = p.Check(replicas, "")
		}
	})
}

// The seed alone settles all chance.
func TestPlanChance(t *testing.T) {
	draw := func(seed uint64) (list []string) {
		dice := rand.New(rand.NewPCG(seed, seed))
		_ = plan.AtRandom(plan.KindNames(), 50, 0, time.Second).Walk(func(s *plan.Step) error {
			k, pause := s.Choose(dice)
			if pause < 0 || pause > time.Second {
				t.Errorf("a pause of %v", pause)
			}
			if d := plan.StallLength(dice); d < plan.StallLeast || d > plan.StallMost {
				t.Errorf("a stall of %v", d)
			}
			list = append(list, fmt.Sprint(k.Name, pause))
			return nil
		})
		return list
	}
	if a, b := draw(7), draw(7); len(a) != 50 || !slices.Equal(a, b) {
		t.Errorf("one seed, two runs:\n%v\n%v", a, b)
	}
	if slices.Equal(draw(7), draw(8)) {
		t.Error("two seeds, one run")
	}
}

// The example in docs/chaos.md is a plan, and the table there has every kind.
func TestPlanDocument(t *testing.T) {
	b, err := os.ReadFile("../../../../../docs/chaos.md")
	if err != nil {
		t.Fatal(err)
	}
	_, example, ok := strings.Cut(string(b), "```yaml\n")
	example, _, closed := strings.Cut(example, "```")
	p, err := plan.Parse("chaos.md", []byte(example))
	if !ok || !closed || err != nil {
		t.Fatalf("no plan in the document: %v", err)
	}
	if got := walked(p, 100); len(got) != 3+5+3*2 {
		t.Errorf("it does %q", got)
	}
	for _, k := range plan.KindNames() {
		if !strings.Contains(string(b), "`"+k+"`") {
			t.Errorf("the document does not name %s", k)
		}
	}
}

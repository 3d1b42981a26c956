package patch_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/music-chronus/chronus/dsp/patch"
)

// Without bounds, the YAML library needs minutes or the whole stack for the hostile texts.
func hostile() map[string]string {
	const n = 1 << 18
	keys := strings.Builder{}
	for i := range patch.MaxTokens / 3 {
		fmt.Fprintf(&keys, "k%d: 1, ", i)
	}
	return map[string]string{
		"flow lists":           strings.Repeat("[", n),
		"flow mappings":        strings.Repeat("{a: ", n),
		"lists":                strings.Repeat("- ", n),
		"keys":                 strings.Repeat("? ", n),
		"tags":                 strings.Repeat("!a ", n),
		"anchors":              strings.Repeat("&a ", n),
		"documents":            strings.Repeat("---\n", n),
		"a block of lines":     "a: |\n" + strings.Repeat(" \n", n),
		"just under the lines": "a: |\n" + strings.Repeat(" \n", patch.MaxLines-1),
		"just under the words": "{" + keys.String(),
		"lists under the same": strings.Repeat("- ", patch.MaxTokens-1),
		"closed before opened": strings.Repeat("]", patch.MaxTokens/2) + strings.Repeat("[", patch.MaxTokens/2-1),
		"deep, under the same": strings.Repeat("[", patch.MaxTokens-1),
		"a long word":          "name: " + strings.Repeat("x", 4*n-10),
		"a long quoted word":   "name: \"" + strings.Repeat("\\n", 2*n-10),
	}
}

func TestHostile(t *testing.T) {
	for name, text := range hostile() {
		begin := time.Now()
		_, err := patch.Parse("p", []byte(text))
		took := time.Since(begin)
		t.Logf("%s: %v", name, took)
		if err == nil {
			t.Errorf("%s: taken for a patch", name)
		} else if len(err.Error()) > 500 {
			t.Errorf("%s: a message of %d bytes", name, len(err.Error()))
		}
		if took > time.Minute { // without the bounds: several minutes, or a stack overflow
			t.Errorf("%s: took %v", name, took)
		}
	}
}

// The largest patch that the limits permit is within the bounds of the text.
func TestLargest(t *testing.T) {
	var b strings.Builder
	b.WriteString("version: 1\nname: largest\nnodes:\n")
	const params = "{attack: 0.01, decay: 0.1, sustain: 0.7, release: 0.2, curve: exp}"
	for i := range patch.MaxNodes {
		fmt.Fprintf(&b, "  - {id: a%031d, type: adsr, params: %s}\n", i, params)
	}
	b.WriteString("cables:\n")
	count := 0
	for i := range patch.MaxNodes {
		for k := i + 1; k < min(i+5, patch.MaxNodes); k++ {
			fmt.Fprintf(&b, "  - a%031d > a%031d\n", i, k)
			count++
		}
	}
	fmt.Fprintf(&b, "  - a%031d > out\n", patch.MaxNodes-1)
	plan, err := compile(b.String())
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%d bytes, %d cables", b.Len(), count+1)
	if len(plan.Nodes()) != patch.MaxNodes+1 {
		t.Errorf("%d nodes", len(plan.Nodes()))
	}
	more := b.String() + strings.Repeat("  - a > b\n", patch.MaxCables)
	if _, err := compile(more); err == nil || !strings.Contains(err.Error(), "cables; the maximum is 1024") {
		t.Errorf("%v", err)
	}
}

// Quoted keys and words mean the same as plain ones.
func TestQuoted(t *testing.T) {
	plan, err := compile("\"version\": 1\n'nodes': [{\"id\": \"a\", 'type': 'sine', \"params\": {'gain': 0.25}}]\ncables: ['a > out']\n")
	if err != nil {
		t.Fatal(err)
	}
	if v := plan.Nodes()[1].Values[1]; v != 0.25 {
		t.Errorf("gain %g", v)
	}
}

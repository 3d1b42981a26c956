package patch_test

import (
	"fmt"
	"log"
	"strings"

	"github.com/music-chronus/chronus/dsp/patch"
)

// A plan holds the nodes of a patch in the order of rendering. Each node follows those it hears.
func ExampleCompile() {
	p, err := patch.Parse("organ.yaml", []byte(`
version: 1
voices:
  count: 8
  nodes:
    - {id: env, type: adsr}
    - {id: osc, type: sine}
cables:
  - note.pitch > osc.pitch
  - osc > env > out
`))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2) // 48 kHz, blocks of 64 frames, stereo
	if err != nil {
		log.Fatal(err)
	}
	var order []string
	for _, i := range plan.Order() {
		order = append(order, plan.Nodes()[i].ID)
	}
	fmt.Println(strings.Join(order, ", "))
	node, param, err := plan.Lookup("env", "release")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println("env.release is parameter", param, "of node", node)

	// Output:
	// note, osc, env
	// env.release is parameter 3 of node 2
}

// An error names the file, line, column and node, and suggests what may be meant.
func ExampleCompile_error() {
	p, err := patch.Parse("tone.yaml", []byte(`version: 1
nodes:
  - {id: tone, type: sine, params: {freqq: 440}}
cables: [tone > out]
`))
	if err != nil {
		log.Fatal(err)
	}
	_, err = patch.Compile(p, 48000, 64, 2)
	fmt.Println(strings.ReplaceAll(err.Error(), "; ", ";\n"))

	// Output:
	// patch tone.yaml:3:37: node "tone" (sine) has no parameter "freqq";
	// did you mean freq? there are freq, gain
}

// Edits change a patch, which is then compiled again.
func ExamplePatch_Connect() {
	p, err := patch.Parse("default", patch.Default())
	if err != nil {
		log.Fatal(err)
	}
	if err := p.Create("echo", "delay", ""); err != nil {
		log.Fatal(err)
	}
	for _, cable := range [][2]string{{"filter1", "echo"}, {"echo", "out"}} {
		if err := p.Connect(cable[0], cable[1]); err != nil {
			log.Fatal(err)
		}
	}
	if err := p.Disconnect("filter1", "out"); err != nil {
		log.Fatal(err)
	}
	for line := range strings.Lines(string(p.Format())) {
		if strings.Contains(line, " > ") {
			fmt.Println(strings.TrimSpace(line))
		}
	}

	// Output:
	// - sine1 > adsr1 > filter1
	// - filter1 > echo
	// - echo > out
}

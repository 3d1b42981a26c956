package space_test

import (
	"fmt"
	"log"

	"github.com/music-chronus/chronus/actors/space"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/osc"
)

// A program that plays patches without an engine resolves OSC messages itself.
func Example() {
	p, err := patch.Parse("beep", []byte(`version: 1
nodes:
  - {id: tone, type: sine, params: {freq: 440}}
  - {id: env, type: adsr}
cables: [tone > env > out]
`))
	if err != nil {
		log.Fatal(err)
	}
	plan, err := patch.Compile(p, 48000, 64, 2)
	if err != nil {
		log.Fatal(err)
	}
	addresses, err := space.New(plan)
	if err != nil {
		log.Fatal(err)
	}
	for _, e := range addresses.Entries()[5:7] {
		fmt.Println(e.Address, "takes", e.Expected())
	}
	send := func(address string, arg any) {
		packet, err := osc.Encode(address, arg)
		if err != nil {
			log.Fatal(err)
		}
		var d osc.Decoder
		d.Decode(packet, func(m *osc.Message) {
			commands, err := addresses.Resolve(m)
			if err != nil {
				fmt.Println(address, err)
				return
			}
			for _, c := range commands {
				fmt.Println(address, "sets node", plan.Nodes()[c.Node].ID, "to", c.Value)
			}
		}, func(err *osc.DecodeError) { log.Fatal(err) })
	}
	send("/mod/tone/freq", 220)
	send("/gate/env", "on")
	send("/mod/tone/freqq", 220)
	// Output:
	// /mod/tone/freq takes a number from 0 to 24000 Hz
	// /mod/tone/gain takes a number from 0 to 1
	// /mod/tone/freq sets node tone to 220
	// /gate/env sets node env to 1
	// /mod/tone/freqq unknown; the nearest is /mod/tone/freq; under /mod/tone/ there are freq, gain
}

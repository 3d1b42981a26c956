package osc_test

import (
	"fmt"

	"github.com/music-chronus/chronus/osc"
)

func ExampleEncode() {
	b, _ := osc.Encode("/gate/adsr1", "on")
	fmt.Printf("%q\n", b)
	// Output: "/gate/adsr1\x00,s\x00\x00on\x00\x00"
}

// A space resolves messages to entries and values; patterns name several entries.
func ExampleSpace() {
	space, err := osc.NewSpace([]osc.Entry{
		{Address: "/filter/cutoff", Kind: osc.Number, Min: 20, Max: 20000, Unit: "Hz"},
		{Address: "/filter/mode", Kind: osc.Name, Names: []string{"lp", "hp"}},
		{Address: "/gate/pad", Kind: osc.Gate},
	})
	if err != nil {
		panic(err)
	}
	var d osc.Decoder
	for _, message := range [][]any{{"/filter/mode", "hp"}, {"/filter/cutoff", 440}, {"/filter/cutof", 440}, {"/gate/pad", "open"}} {
		packet, err := osc.Encode(message[0].(string), message[1:]...)
		if err != nil {
			panic(err)
		}
		d.Decode(packet, func(m *osc.Message) {
			entry, value, err := space.Resolve(m)
			if err != nil {
				fmt.Printf("%s: %v\n", m.Address, err)
				return
			}
			fmt.Printf("%s: %g\n", space.Entries()[entry].Address, value.Number)
		}, func(e *osc.DecodeError) { panic(e) })
	}

	var p osc.Patterns
	p.Reset()
	found, err := p.Match(space, []byte("/filter/*"))
	fmt.Println(found, err)
	// Output:
	// /filter/mode: 1
	// /filter/cutoff: 440
	// /filter/cutof: unknown; the nearest is /filter/cutoff; under /filter/ there are cutoff, mode
	// /gate/pad: "open" is not a number, true, false, on or off
	// [0 1] <nil>
}

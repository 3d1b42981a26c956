package main

import (
	"fmt"
	"text/tabwriter"

	"github.com/music-chronus/chronus/audio"
)

type devicesCmd struct {
	JSON bool `name:"json" help:"Print them as JSON."`
}

// Run lists what every backend finds.
func (c *devicesCmd) Run(s streams) error {
	type entry struct {
		Backend string `json:"backend"`
		audio.Device
	}
	list := []entry{}
	for _, b := range backends {
		devices, err := b.Devices()
		if err != nil {
			fmt.Fprintf(s.err, "chronus: backend %s: %v\n", b.Name(), err)
			continue
		}
		for _, d := range devices {
			list = append(list, entry{b.Name(), d})
		}
	}
	if c.JSON {
		return printJSON(s.out, list)
	}
	w := tabwriter.NewWriter(s.out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "backend\tdevice\tchannels\trate\t")
	for _, d := range list {
		def := ""
		if d.Default {
			def = "default"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", d.Backend, d.ID, d.Channels, d.Rate, def)
	}
	return w.Flush()
}

package main

import (
	"fmt"
	"io"
	"os"
	"syscall"
	"text/tabwriter"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/soundserver"
)

type devicesCmd struct {
	JSON bool `name:"json" help:"Print them as JSON."`
}

// listedDevice is a device as chronus devices prints it.
type listedDevice struct {
	Backend string `json:"backend"`
	audio.Device
	Auto   bool   `json:"auto"`             // up takes it without --backend and --device
	Path   string `json:"path,omitempty"`   // of the auto one: the way to the sound card, and why
	Advice string `json:"advice,omitempty"` // of the auto one: what would be better
}

// Run lists what every backend finds.
func (c *devicesCmd) Run(s streams) error {
	list := []listedDevice{}
	for _, b := range backends {
		devices, err := b.Devices()
		if err != nil {
			fmt.Fprintf(s.err, "chronus: backend %s: %v\n", b.Name(), err)
			continue
		}
		for _, d := range devices {
			list = append(list, listedDevice{Backend: b.Name(), Device: d})
		}
	}
	markAuto(list, soundserver.Look())
	if c.JSON {
		return printJSON(s.out, list)
	}
	return printDevices(s.out, list)
}

// markAuto marks the device that up takes by default: of the first backend that has any.
func markAuto(list []listedDevice, servers soundserver.Servers) {
	for i := range list {
		if d := &list[i]; d.Backend == list[0].Backend && (d.Default || d.Backend == "null") {
			d.Auto = true
			d.Path, d.Advice = servers.Explain(d.Backend, d.API, d.Name, soundserver.InUse())
			return
		}
	}
}

func printDevices(out io.Writer, list []listedDevice) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "backend\tdevice\tchannels\trate\t")
	said := ""
	for _, d := range list {
		def := ""
		switch {
		case d.Auto:
			def = "auto"
			said = fmt.Sprintf("auto: %s %q", d.Backend, d.ID)
			for _, text := range []string{d.Path, d.Advice} {
				if text != "" {
					said += "; " + text
				}
			}
			if d.Backend == "null" {
				said += "; nobody hears it: there is no sound device"
			}
		case d.Default:
			def = "default"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", d.Backend, d.ID, d.Channels, d.Rate, def)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if said != "" {
		fmt.Fprintln(out, said)
	}
	return nil
}

// withPaths starts chronus devices again in the environment that an audio process would have, so
// that it lists what that one would see. The dynamic loader reads the environment only at the start.
func withPaths(args []string) {
	if len(args) < 2 || args[1] != "devices" {
		return
	}
	if env := soundserver.Look().Env("auto"); env != nil {
		_ = syscall.Exec("/proc/self/exe", args, append(os.Environ(), env...)) // or it lists what it sees as it is
	}
}

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

// listedDevice describes a device as chronus devices prints it.
type listedDevice struct {
	Backend string `json:"backend"`
	audio.Device
	Auto   bool   `json:"auto"`             // up chooses it without --backend and --device
	Path   string `json:"path,omitempty"`   // of the auto device: the path to the sound card, and the reason
	Advice string `json:"advice,omitempty"` // of the auto device: a better setup
}

// Run lists the devices of every backend.
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

// markAuto marks the device that up chooses by default: one of the first backend that has any.
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
	note := ""
	for _, d := range list {
		def := ""
		switch {
		case d.Auto:
			def = "auto"
			note = fmt.Sprintf("auto: %s %q", d.Backend, d.ID)
			for _, text := range []string{d.Path, d.Advice} {
				if text != "" {
					note += "; " + text
				}
			}
			if d.Backend == "null" {
				note += "; nobody hears it: there is no sound device"
			}
		case d.Default:
			def = "default"
		}
		fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%s\n", d.Backend, d.ID, d.Channels, d.Rate, def)
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if note != "" {
		fmt.Fprintln(out, note)
	}
	return nil
}

// withPaths restarts chronus devices in the environment of an audio process, so that it lists the
// same devices. The dynamic loader reads the environment only at the start. If the restart fails,
// it goes on as it is.
func withPaths(args []string) {
	if len(args) < 2 || args[1] != "devices" {
		return
	}
	if env := soundserver.Look().Env("auto"); env != nil {
		_ = syscall.Exec("/proc/self/exe", args, append(os.Environ(), env...))
	}
}

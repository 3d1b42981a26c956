package portaudio

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	pa "github.com/gordonklaus/portaudio"

	"github.com/music-chronus/chronus/audio"
	"github.com/music-chronus/chronus/audio/internal/driver"
	"github.com/music-chronus/chronus/audio/soundserver"
)

// Devices lists the outputs as they are now: PortAudio looks for them when it is initialised.
func (Backend) Devices() (list []audio.Device, err error) {
	driver.Quietly(func() { err = pa.Initialize() })
	if err != nil {
		return nil, fmt.Errorf("portaudio: %w", err)
	}
	defer driver.Quietly(func() { _ = pa.Terminate() })
	outs, err := outputs()
	if err != nil {
		return nil, err
	}
	ranked := byRank(outs)
	for _, d := range outs {
		list = append(list, audio.Device{
			ID: id(d), API: d.HostApi.Name, Name: d.Name, Channels: d.MaxOutputChannels,
			Rate: int(d.DefaultSampleRate), Default: d == ranked[0],
		})
	}
	return list, nil
}

func id(d *pa.DeviceInfo) string { return d.HostApi.Name + "/" + d.Name }

// outputs are the devices with output channels.
func outputs() (list []*pa.DeviceInfo, err error) {
	all, err := pa.Devices()
	if err != nil {
		return nil, fmt.Errorf("portaudio: %w", err)
	}
	for _, d := range all {
		if d.MaxOutputChannels > 0 && d.HostApi != nil {
			list = append(list, d)
		}
	}
	return list, nil
}

// byRank is the list with the device first that is tried first.
func byRank(list []*pa.DeviceInfo) []*pa.DeviceInfo {
	servers := soundserver.Look()
	rank := func(d *pa.DeviceInfo) int { return servers.Rank(apiName(d), d.Name) }
	return slices.SortedStableFunc(slices.Values(list), func(a, b *pa.DeviceInfo) int { return rank(a) - rank(b) })
}

func apiName(d *pa.DeviceInfo) string { return d.HostApi.Name }

// find is the device that name means, or all that could be tried if it is "".
func find(name string) ([]*pa.DeviceInfo, error) {
	outs, err := outputs()
	if err != nil {
		return nil, err
	}
	var ids []string
	var hits []*pa.DeviceInfo
	for _, d := range outs {
		ids = append(ids, fmt.Sprintf("%q", id(d)))
		switch {
		case strings.EqualFold(id(d), name):
			return []*pa.DeviceInfo{d}, nil
		case strings.Contains(strings.ToLower(id(d)), strings.ToLower(name)):
			hits = append(hits, d)
		}
	}
	list := "there are " + strings.Join(ids, ", ")
	switch {
	case len(outs) == 0 && name != "":
		return nil, fmt.Errorf("portaudio: no device %q: there is no output device at all", name)
	case len(outs) == 0:
		return nil, errors.New("portaudio: there is no output device: start a JACK server, or use --backend null")
	case name == "":
		return byRank(outs), nil
	case len(hits) == 1:
		return hits, nil
	case len(hits) > 1:
		return nil, fmt.Errorf("portaudio: device %q could be %d devices; %s", name, len(hits), list)
	}
	return nil, fmt.Errorf("portaudio: no device %q; %s", name, list)
}

// An ALSA plugin passes the sound to a server, which takes up to its own period at a time, of 1,024
// frames on most desktops and 2,048 at most. PortAudio's own low latency of 417 frames underruns there
// every few seconds, unseen. Four periods of 1,024 frames hold two of the longest.
const (
	pluginPeriod  = 1024
	pluginPeriods = 4
)

// plugin tells whether a device is an ALSA PCM that is not a card itself.
func plugin(d *pa.DeviceInfo) bool { return apiName(d) == "ALSA" && !soundserver.Hardware(d.Name) }

// latency is what PortAudio is asked for: the least that the device can keep.
func latency(d *pa.DeviceInfo, r audio.Request) time.Duration {
	if !plugin(d) {
		return d.DefaultLowOutputLatency
	}
	period := pluginPeriod
	if r.Period > 0 {
		period = r.Period
	}
	frames := pluginPeriods * period
	return time.Duration((int64(frames)*int64(time.Second) + int64(r.Rate) - 1) / int64(r.Rate))
}

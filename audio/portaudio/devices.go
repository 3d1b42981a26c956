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

// Devices lists the present outputs. PortAudio enumerates them when it is initialized.
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

// outputs returns the devices with output channels.
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

// byRank sorts the list by preference.
func byRank(list []*pa.DeviceInfo) []*pa.DeviceInfo {
	servers := soundserver.Look()
	rank := func(d *pa.DeviceInfo) int { return servers.Rank(apiName(d), d.Name) }
	return slices.SortedStableFunc(slices.Values(list), func(a, b *pa.DeviceInfo) int { return rank(a) - rank(b) })
}

func apiName(d *pa.DeviceInfo) string { return d.HostApi.Name }

// find returns the device that name matches, or, if name is "", all devices by preference.
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
		return nil, fmt.Errorf("portaudio: no device %q: the machine has no output device", name)
	case len(outs) == 0:
		return nil, errors.New("portaudio: no output device: start a JACK server, or use --backend null")
	case name == "":
		return byRank(outs), nil
	case len(hits) == 1:
		return hits, nil
	case len(hits) > 1:
		return nil, fmt.Errorf("portaudio: device %q is ambiguous: %d devices match; %s", name, len(hits), list)
	}
	return nil, fmt.Errorf("portaudio: no device %q; %s", name, list)
}

// An ALSA plugin passes the sound to a server, which takes up to its own period at a time: 1,024
// frames on most desktops, at most 2,048. PortAudio's low latency of 417 frames underruns there
// every few seconds, without a report. Four periods of 1,024 frames hold two of the longest.
const (
	pluginPeriod  = 1024
	pluginPeriods = 4
)

// plugin reports whether a device is an ALSA PCM other than a card.
func plugin(d *pa.DeviceInfo) bool { return apiName(d) == "ALSA" && !soundserver.Hardware(d.Name) }

// latency is the requested latency: the least that the device can keep up.
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

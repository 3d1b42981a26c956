package fleet

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/music-chronus/chronus/actors/pb"
	"github.com/music-chronus/chronus/actors/report"
)

// metric is one metric of an engine.
type metric struct {
	name, kind, help string
	reported         bool // the value comes from a Status
	value            func(Member) float64
}

// metrics lists the gauges and counters of the fleet, then the rows of report.Counters.
func metrics() []metric {
	list := []metric{
		{"up", "gauge", "1 while the engine reports", false, func(m Member) float64 { return bit(m.Reached) }},
		{"boots_total", "counter", "lives of the engine since the monitor started", false,
			func(m Member) float64 { return float64(m.Boots) }},
		{"lost_events_total", "counter", "events that the engine could not deliver", false,
			func(m Member) float64 { return float64(m.Lost) }},
		{"redundant", "gauge", "1 while every worker is ready", true,
			func(m Member) float64 { return bit(m.Status.Redundant) }},
		{"peak", "gauge", "peak of the output over the last second, linear", true,
			func(m Member) float64 { return m.Status.Peak }},
		{"load", "gauge", "load of the busiest worker, as a share of one core", true,
			func(m Member) float64 { return m.Load }},
	}
	fields := (&pb.Status{}).ProtoReflect().Descriptor().Fields()
	for _, c := range report.Counters() {
		if f := fields.ByName(protoreflect.Name(c.Name)); f != nil {
			list = append(list, metric{c.Metric(), "counter", c.Help, true,
				func(m Member) float64 { return float64(m.Status.ProtoReflect().Get(f).Uint()) }})
		}
	}
	return list
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

// WriteMetrics writes the members as metrics in Prometheus's text format, version 0.0.4. An engine
// that has not reported yet has no metrics of its status.
func WriteMetrics(out io.Writer, members []Member) error {
	w := bufio.NewWriter(out)
	for _, x := range metrics() {
		fmt.Fprintf(w, "# HELP chronus_%s %s\n# TYPE chronus_%s %s\n", x.name, x.help, x.name, x.kind)
		for _, m := range members {
			if x.reported && m.Status == nil {
				continue
			}
			fmt.Fprintf(w, "chronus_%s{engine=\"%s\",group=\"%s\"} %g\n",
				x.name, escape(m.Name), escape(m.Group), x.value(m))
		}
	}
	fmt.Fprint(w, "# HELP chronus_alarm 1 for each alarm that has not ended\n# TYPE chronus_alarm gauge\n")
	for _, m := range members {
		for _, a := range m.Alarms {
			fmt.Fprintf(w, "chronus_alarm{engine=\"%s\",group=\"%s\",kind=\"%s\"} 1\n",
				escape(m.Name), escape(m.Group), escape(string(a.Kind)))
		}
	}
	return w.Flush()
}

// escape quotes a label's value by the rules of the format.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}

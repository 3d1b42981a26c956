package fleet

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// WriteMetrics writes the fleet in Prometheus's text format, version 0.0.4.
func WriteMetrics(out io.Writer, members []Member) error {
	w := bufio.NewWriter(out)
	bit := func(b bool) float64 {
		if b {
			return 1
		}
		return 0
	}
	for _, metric := range []struct {
		name, kind, help string
		status           bool // it is known only of engines that have been heard
		value            func(Member) float64
	}{
		{"up", "gauge", "1 while the engine is heard", false, func(m Member) float64 { return bit(m.Reached) }},
		{"boots_total", "counter", "lives of the engine that were seen", false, func(m Member) float64 { return float64(m.Boots) }},
		{"lost_events_total", "counter", "events that came too thick to be told", false, func(m Member) float64 { return float64(m.Lost) }},
		{"redundant", "gauge", "1 while every worker is ready", true, func(m Member) float64 { return bit(m.Status.Redundant) }},
		{"played_blocks_total", "counter", "blocks played", true, func(m Member) float64 { return float64(m.Status.Played) }},
		{"rescued_blocks_total", "counter", "blocks played from a ring that is not the active one", true, func(m Member) float64 { return float64(m.Status.Rescued) }},
		{"concealed_blocks_total", "counter", "blocks' time for which nobody had a block", true, func(m Member) float64 { return float64(m.Status.Concealed) }},
		{"failovers_total", "counter", "workers lost", true, func(m Member) float64 { return float64(m.Status.Failovers) }},
		{"flips_total", "counter", "changes of the worker that is heard", true, func(m Member) float64 { return float64(m.Status.Flips) }},
		{"xruns_total", "counter", "what the device missed", true, func(m Member) float64 { return float64(m.Status.Xruns) }},
		{"mismatches_total", "counter", "workers replaced since their sound was wrong", true, func(m Member) float64 { return float64(m.Status.Mismatches) }},
		{"peak", "gauge", "of the output over the last second, linear", true, func(m Member) float64 { return m.Status.Peak }},
		{"load", "gauge", "of the busiest worker, of a core", true, func(m Member) float64 { return m.Load }},
		{"notes_total", "counter", "notes and gates begun", true, func(m Member) float64 { return float64(m.Status.Notes) }},
	} {
		fmt.Fprintf(w, "# HELP chronus_%s %s\n# TYPE chronus_%s %s\n", metric.name, metric.help, metric.name, metric.kind)
		for _, m := range members {
			if !metric.status || m.Status != nil {
				fmt.Fprintf(w, "chronus_%s{engine=\"%s\",group=\"%s\"} %g\n", metric.name, escape(m.Name), escape(m.Group), metric.value(m))
			}
		}
	}
	fmt.Fprint(w, "# HELP chronus_alarm 1 for each alarm that goes on\n# TYPE chronus_alarm gauge\n")
	for _, m := range members {
		for _, a := range m.Alarms {
			fmt.Fprintf(w, "chronus_alarm{engine=\"%s\",group=\"%s\",kind=\"%s\"} 1\n", escape(m.Name), escape(m.Group), escape(string(a.Kind)))
		}
	}
	return w.Flush()
}

// escape is a label's value as the format wants it.
func escape(s string) string {
	return strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(s)
}

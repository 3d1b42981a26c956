package actors

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/music-chronus/chronus/actors/report"
	"github.com/music-chronus/chronus/dsp/patch"
	"github.com/music-chronus/chronus/dsp/sequencer"
	"github.com/music-chronus/chronus/osc"
)

const referenceFile = "../docs/osc.md"

// The reference of addresses is made of the addresses. ./task docs makes it anew.
func TestOSCReference(t *testing.T) {
	want := reference(t)
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.WriteFile(referenceFile, []byte(want), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if b, err := os.ReadFile(referenceFile); err != nil || string(b) != want {
		t.Errorf("docs/osc.md is not what the addresses say (%v): ./task docs makes it anew", err)
	}
}

// songPatch has what the default patch has not: voices and a track.
const songPatch = `version: 1
tempo: 120
voices: {count: 4, nodes: [{id: string1, type: pluck}]}
cables: [note.pitch > string1.pitch, string1 > out]
patterns: [{number: 0, steps: x...}]
tracks: [{id: bass, pattern: 0}]
`

func reference(t *testing.T) string {
	plain, song := addressesOf(t, string(patch.Default())), addressesOf(t, songPatch)
	var b strings.Builder
	b.WriteString(referenceHead)
	section := func(title, text string, list []osc.Entry, keep func(address string) bool) {
		fmt.Fprintf(&b, "\n## %s\n\n%s\n\n| address | takes | |\n|---|---|---|\n", title, text)
		for _, e := range list {
			if !keep(e.Address) {
				continue
			}
			doc := e.Doc
			if e.RequiresToken {
				doc += "; guarded"
			}
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", e.Address, tableText(e.Expected()), tableText(doc))
		}
	}
	begins := func(prefixes ...string) func(string) bool {
		return func(address string) bool {
			return slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(address, p) })
		}
	}
	asks := inquiries()
	isInquiry := func(address string) bool {
		return slices.ContainsFunc(asks, func(q inquiry) bool { return q.address == address })
	}
	section("The engine", "Of every patch. `/engine/freq` is there if the patch says what it sets.", plain, begins("/engine/"))
	section("Parameters and gates", "`/mod/<id>/<param>` for each node, with the names and ranges of its type ([modules.md](modules.md)); `/gate/<id>` for those that have one. These are of the default patch, at 48 kHz.", plain, begins("/mod/", "/gate/"))
	section("Notes", "Of patches with voices; `/note/<group>/on` and so on with groups of voices.", song, begins("/note/"))
	section("Music", fmt.Sprintf("Of patches with tracks, here with one that is called bass. There are patterns 0 to %d; the first stands for all.", sequencer.Patterns-1), song, func(a string) bool {
		return begins("/seq/", "/pattern/0/")(a) && !begins("/seq/create", "/seq/delete", "/seq/config", "/seq/param_lane")(a)
	})
	section("Changing the patch", "Each client has a draft, which enters with `/patch/commit`, all at once ([patches.md](patches.md)).", plain, begins("/patch/", "/seq/"))
	section("Questions", "Nothing that is played depends on these. Most are those of SuperCollider's server.", plain, isInquiry)
	b.WriteString(referenceEvents)
	for _, ev := range report.Kinds() {
		address, usage := eventUsage(ev)
		fmt.Fprintf(&b, "| `%s` | %s |\n", address, usage)
	}
	b.WriteString(referenceTail)
	return b.String()
}

// tableText is a text in a table.
func tableText(s string) string { return strings.NewReplacer("|", `\|`, "<", `\<`).Replace(s) }

func addressesOf(t *testing.T, text string) []osc.Entry {
	t.Helper()
	a, err := NewAddresses(planOf(t, text))
	if err != nil {
		t.Fatal(err)
	}
	return a.Entries()
}

const referenceHead = `# OSC

Made from the addresses themselves by ` + "`TestOSCReference`" + `; ` + "`chronus osc ls`" + ` lists those of the engine that runs, ` + "`chronus osc --help`" + ` has what else there is.

An engine listens on one port, 127.0.0.1:5005 if nothing else is asked for, by UDP, by TCP (packets behind their size, or SLIP), and by WebSocket, in binary frames. A number is taken as i, h, f or d alike. What an
address does not take is answered with ` + "`/fail address reason`" + `, which says what would have been right; what it takes with ` + "`/done address`" + `, once it is certain to be played. Addresses may be
patterns (` + "`* ? [a-z] {on,off} //`" + `), for parameters, gates and notes. The messages of a packet enter together, 4,096 commands at the most; a bundle's time tag is kept to the frame, and what comes too late is played at once and answered with
` + "`/late address seconds`" + ` as well. From other machines, which ` + "`--osc-allow`" + ` names, what is guarded takes a token first: ` + "`/auth token`" + ` ([decision 16](decisions/0016-wire.md)).

## Being told

` + "`/notify 1`" + ` has the sender be told each value that changes, at its own address, as the address takes it; of one address no more than 30 a second, of which the latest counts. By UDP that lasts for a minute, and is to be sent
again; over a connection it lasts as long as that. ` + "`/notify 2`" + ` gives names as their index, for controllers that show only numbers. ` + "`/notify/resync`" + ` gives all values, 3,840 a second at the most. 64 can be told at a time, on
other machines 48 of these, on one of them 16. By UDP from another machine it takes the token, since who asks could be forged; and ` + "`/notify 0`" + ` does not end it then, since that could be forged too: it ends when it is not asked for again.

Values are what parameters and gates were last set to, by whomever: not how far a ramp has come, nor what a lane of a track does. A patch that changes keeps them, with its nodes. What has a time tag counts from its time on, and what was
quarantined no longer ([decision 19](decisions/0019-values.md)).

## Finding out

An OSCQuery server tells the same to programs: ` + "`GET http://127.0.0.1:5085/`" + ` (80 above OSC's port; ` + "`--oscquery HOST:PORT`" + ` or none) is the tree with types, ranges, units, values and descriptions; over a WebSocket
` + "`LISTEN`" + ` and ` + "`IGNORE`" + ` an address, and be told of ` + "`PATH_ADDED`, `PATH_REMOVED` and `PATH_CHANGED`" + ` when the patch changes. Where other machines may play, mDNS announces ` + "`_osc._udp`, `_osc._tcp` and `_oscjson._tcp`" + `
(` + "`--no-mdns`" + ` does not) ([decision 20](decisions/0020-oscquery.md)).

` + "`chronus osc layout touchosc -o chronus.tosc`" + ` makes a layout with a page for each node, ` + "`open-stage-control`" + ` one for that program (start it with ` + "`--send 127.0.0.1:5005`" + `); their button *ask for values* subscribes.

[examples/](examples/README.md) has SuperCollider, Pd, Sonic Pi, TouchOSC, Python and the shell.
`

const referenceEvents = `
## What happens

Who is told values is told these too, as they happen. Times are in seconds.

| address | with |
|---|---|
`

const referenceTail = `
## SuperCollider

` + "`/status.reply`" + ` has the arguments of scsynth's: 1, nodes, 0 for synths (the voices that sound: only the workers know them, and nobody asks those, so it is always 0), groups, kinds of module, mean and peak load, nominal and real rate. The load is that of the active
worker's whole process, in percent of one core, since the question before. ` + "`/notify`" + `, ` + "`/sync`, `/version`, `/dumpOSC` and `/error`" + ` are shaped like scsynth's too, but that ` + "`/dumpOSC`" + ` tells who asked, and
` + "`/error 0`" + ` concerns who sent it and nobody else. ` + "`/engine/status`" + ` has our own words: active slot, epoch, workers ready, workers, clock, blocks played, rescued, concealed, flips, xruns, failovers.
`

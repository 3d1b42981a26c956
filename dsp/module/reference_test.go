package module_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/music-chronus/chronus/dsp"
	"github.com/music-chronus/chronus/dsp/internal/measure"
	"github.com/music-chronus/chronus/dsp/module"
	"github.com/music-chronus/chronus/dsp/moduletest"
)

// The reference of modules is generated from their descriptions, and its pictures from their sound.
// ./task docs generates it.
func TestModulesReference(t *testing.T) {
	want := map[string]string{"modules.md": reference()}
	for _, family := range module.Families {
		for _, d := range family.Modules {
			want["modules/"+d.Type+".svg"] = picture(family.Name, d)
		}
	}
	if os.Getenv("UPDATE_DOCS") != "" {
		if err := os.MkdirAll(docsDir+"modules", 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range want {
			if err := os.WriteFile(docsDir+name, []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, text := range want {
		if b, err := os.ReadFile(docsDir + name); err != nil || string(b) != text {
			t.Errorf("%s differs from the descriptions of the modules (%v); ./task docs generates it", name, err)
		}
	}
	there, _ := filepath.Glob(docsDir + "modules/*.svg")
	for _, name := range there {
		if _, ok := want[strings.TrimPrefix(name, docsDir)]; !ok {
			t.Errorf("%s is the picture of a module that does not exist", name)
		}
	}
}

func reference() string {
	var b strings.Builder
	b.WriteString("# Modules\n\n")
	b.WriteString(wrap("", "This page is generated from the descriptions of the modules in `dsp/module`. "+
		"A patch names a module by its type, and cables name ports as `node.port`. "+
		"A module without stereo ports that receives a stereo signal is doubled, one for each channel. "+
		"Modulation inputs add to their parameter. An input without a cable is silent."))
	for _, f := range module.Families {
		fmt.Fprintf(&b, "\n## %s\n\n%s", f.Name, wrap("", f.Doc))
		for _, d := range f.Modules {
			fmt.Fprintf(&b, "\n### %s\n\n![%s](modules/%s.svg)\n\n", d.Type, d.Type, d.Type)
			text := d.Doc
			if d.Gated {
				text += " It has a gate."
			}
			if d.Sampled {
				text += " Its node names a `sample`."
			}
			b.WriteString(wrap("", text) + "\n")
			if d.Source != "" {
				b.WriteString(wrap("", "Source: "+strings.TrimSuffix(d.Source, ".")+".") + "\n")
			}
			ports(&b, "in", d.Inputs)
			ports(&b, "out", d.Outputs)
			if len(d.Params) > 0 {
				b.WriteString("\n| parameter | range at 48 kHz | default | |\n|---|---|---|---|\n")
			}
			for _, p := range d.Params {
				value := fmt.Sprintf("%.4g", p.Default)
				if len(p.Names) > 0 {
					value = p.Names[int(p.Default)]
				}
				fmt.Fprintf(&b, "| `%s` | %s | %s | %s |\n", p.Name, p.Domain(rate), value, p.Doc)
			}
		}
	}
	return b.String()
}

func ports(b *strings.Builder, way string, ports []dsp.Port) {
	for _, p := range ports {
		var kind []string
		if p.Stereo {
			kind = append(kind, "stereo")
		}
		if p.Unit != "" {
			kind = append(kind, p.Unit)
		}
		name := "`" + p.Name + "`"
		if len(kind) > 0 {
			name += " (" + strings.Join(kind, ", ") + ")"
		}
		b.WriteString(wrap("  ", fmt.Sprintf("- %s %s: %s", way, name, p.Doc)))
	}
}

// wrap breaks a text into lines of at most 100 columns, of which all but the first have an indent.
func wrap(indent, text string) string {
	var b strings.Builder
	column := 0
	for i, word := range strings.Fields(text) {
		switch n := utf8.RuneCountInString(word); {
		case i == 0:
			column = n
		case column+1+n <= 100:
			b.WriteString(" ")
			column += 1 + n
		default:
			b.WriteString("\n" + indent)
			column = len(indent) + n
		}
		b.WriteString(word)
	}
	return b.String() + "\n"
}

const (
	rate    = 48000
	docsDir = "../../docs/"
)

// picture returns the response or the sound of a module as SVG.
func picture(family string, d *dsp.Desc) string {
	switch family {
	case "Filters":
		return response(d)
	case "Sources":
		return wave(d, 480, nil, false, "10 ms")
	case "Controls":
		return wave(d, 48000, tone(1), true,
			"1 s: a sine at the first input, ramps from 0 to 1 at the others, the gate open for the first half")
	case "Effects":
		beep := func(i int) float32 { return float32(max(0, 1-i/480)) * tone(200)(i) }
		return wave(d, 48000, beep, false, "1 s, of a beep of 10 ms")
	}
	ramps, caption := family == "Shapers", "20 ms: a sine at 200 Hz at the first input"
	if ramps && len(d.Inputs) > 1 {
		caption += ", ramps from 0 to 1 at the others"
	}
	return wave(d, 960, tone(200), ramps, caption)
}

func tone(freq float64) func(i int) float32 {
	return func(i int) float32 { return float32(math.Sin(2 * math.Pi * freq * float64(i) / rate)) }
}

// render returns n frames of a module's first output. The first input has signal. The others have
// ramps from 0 to 1 if ramps is set. The gate is open for the first half.
func render(d *dsp.Desc, n int, signal func(i int) float32, ramps bool) []float32 {
	m := moduletest.New(d, rate)
	in, out := make([][]float32, dsp.Signals(d.Inputs)), make([][]float32, dsp.Signals(d.Outputs))
	for k := range in {
		in[k] = make([]float32, n)
	}
	for k := range out {
		out[k] = make([]float32, n)
	}
	for k := range in {
		for i := range in[k] {
			switch first := k == 0 || k == 1 && d.Inputs[0].Stereo; {
			case signal == nil:
			case first:
				in[k][i] = signal(i)
			case ramps:
				in[k][i] = float32(i) / float32(n)
			}
		}
	}
	cut := func(x [][]float32, from, to int) (y [][]float32) {
		for k := range x {
			y = append(y, x[k][from:to])
		}
		return y
	}
	m.Gate(true)
	m.Render(cut(in, 0, n/2), cut(out, 0, n/2))
	m.Gate(false)
	m.Render(cut(in, n/2, n), cut(out, n/2, n))
	return out[0]
}

const width, height = 480.0, 120.0

func wave(d *dsp.Desc, n int, signal func(i int) float32, ramps bool, caption string) string {
	x := render(d, n, signal, ramps)
	most := 0.0
	for _, v := range x {
		most = max(most, math.Abs(float64(v)))
	}
	most = cmp.Or(most, 1)
	var path strings.Builder
	const columns = 480
	for c := range columns { // the minimum and the maximum of each column
		lo, hi := math.Inf(1), math.Inf(-1)
		for _, v := range x[c*n/columns : max(c*n/columns+1, (c+1)*n/columns)] {
			lo, hi = min(lo, float64(v)), max(hi, float64(v))
		}
		for _, v := range []float64{hi, lo} {
			fmt.Fprintf(&path, "%.1f,%.1f ", float64(c)*width/columns, height/2-v/most*height*0.45)
		}
	}
	return svg(path.String(), fmt.Sprintf("%s; the whole height is %.3g", caption, 2*most/0.9))
}

// response draws the magnitude of a filter at its defaults, from 20 Hz to 20 kHz and from +20 to
// -60 dB.
func response(d *dsp.Desc) string {
	h := render(d, 1<<15, func(i int) float32 {
		if i == 0 {
			return 1e-3 // too small to saturate
		}
		return 0
	}, false)
	for i := range h {
		h[i] *= 1e3
	}
	var path strings.Builder
	for c := range 241 {
		freq := 20 * math.Pow(1000, float64(c)/240)
		db := max(-60, min(20, measure.Response(h, freq, rate)))
		fmt.Fprintf(&path, "%.1f,%.1f ", float64(c)*2, (20-db)/80*height)
	}
	return svg(path.String(), "20 Hz to 20 kHz, +20 to -60 dB, at its defaults")
}

func svg(points, caption string) string {
	return fmt.Sprintf(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %g %g" width="%g" height="%g" font-family="sans-serif">
<rect width="%g" height="%g" fill="#f6f6f2"/>
<polyline points="%s" fill="none" stroke="#1f5f8b" stroke-width="1.2"/>
<text x="4" y="%g" font-size="11" fill="#555">%s</text>
</svg>
`, width, height+18, width, height+18, width, height, strings.TrimSpace(points), height+13, caption)
}

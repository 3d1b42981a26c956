package sequencer_test

import (
	"fmt"
	"log"

	"github.com/music-chronus/chronus/dsp/sequencer"
)

// A track plays a pattern of sixteenths at 120 bpm, where a sixteenth lasts 6000 frames of 48 kHz.
func Example() {
	s := sequencer.New(48000)
	p, err := sequencer.ParsePattern("X.x-")
	if err != nil {
		log.Fatal(err)
	}
	p.Base = 36
	for _, err := range []error{
		s.SetPattern(0, &p),
		s.Assign(0, 0, sequencer.AtOnce), // track 0 plays pattern 0
		s.Start(0),
	} {
		if err != nil {
			log.Fatal(err)
		}
	}
	for {
		frame, ok := s.Next()
		if !ok || frame >= 24000 {
			break
		}
		s.Take(frame, func(e sequencer.Event) {
			switch e.Kind {
			case sequencer.NoteOn:
				fmt.Printf("frame %5d: note %d begins at velocity %g\n", e.Frame, e.Note, e.Velocity)
			case sequencer.NoteOff:
				fmt.Printf("frame %5d: note %d ends\n", e.Frame, e.Note)
			}
		})
	}
	at := s.Position(24000)
	fmt.Printf("frame 24000: bar %d, beat %g\n", at.Bar, at.Beat)

	// Output:
	// frame     0: note 36 begins at velocity 1
	// frame  3000: note 36 ends
	// frame 12000: note 36 begins at velocity 0.7
	// frame 21000: note 36 ends
	// frame 24000: bar 0, beat 1
}

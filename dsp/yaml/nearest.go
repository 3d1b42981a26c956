package yaml

import (
	"fmt"
	"strings"
)

// Clip shortens text that an error quotes.
func Clip(s string) string {
	if len(s) > quoted {
		return s[:quoted] + "..."
	}
	return s
}

// An error lists at most so many names and quotes at most so many bytes.
const (
	listed = 16
	quoted = 64
)

// OrNearest returns the end of an error: the known name nearest to got, if one is near, and the
// known names. The end is "" if there are none.
func OrNearest(got string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	best, least := "", min(len(got)/2+1, len(got)-1)
	for _, k := range known {
		if d := distance(Clip(got), k); d <= least && (best == "" || d < least) {
			best, least = k, d
		}
	}
	s := "; there are " + strings.Join(known[:min(listed, len(known))], ", ")
	switch {
	case len(known) == 1:
		s = "; there is " + known[0]
	case len(known) > listed:
		s += fmt.Sprintf(" and %d more", len(known)-listed)
	}
	if best != "" {
		s = "; did you mean " + best + "?" + strings.Replace(s, ";", "", 1)
	}
	return s
}

// distance is the number of bytes to insert, delete or change between a and b (Levenshtein).
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := 1
			if a[i] == b[j] {
				cost = 0
			}
			diagonal, row[j+1] = row[j+1], min(diagonal+cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}

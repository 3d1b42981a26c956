package scope

import "math"

// Bars are the heights of a drawn wave, from the lowest.
var Bars = []rune("▁▂▃▄▅▆▇█")

// Draw draws n frames of a wave in 32 columns. Draw begins where x first rises through 0. peak is
// the full height.
func Draw(x []float32, n int, peak float64) string {
	const columns = 32
	n = min(n, len(x))
	from := 0
	for i := 1; i+n <= len(x); i++ {
		if x[i-1] < 0 && x[i] >= 0 {
			from = i
			break
		}
	}
	row := make([]rune, columns)
	for k := range row {
		v := float64(x[from+k*n/columns])
		if peak > 0 {
			v = v / peak
		}
		row[k] = Bars[int(max(0, min(float64(len(Bars)-1), math.Floor((v+1)/2*float64(len(Bars))))))]
	}
	return string(row)
}

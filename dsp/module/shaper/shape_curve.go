package shaper

import (
	"math"

	"github.com/music-chronus/chronus/dsp/internal/approx"
)

// The curves of shape, in the order of its parameter type.
const (
	shapeTanh = iota
	shapeSoft
	shapeHard
	shapeFold
	shapeSine
	shapeDiode
)

// shapeNear returns the distance from x below which a difference quotient loses too many digits.
func shapeNear(x float64) float64 { return float64(1e-5 * (1 + math.Abs(x))) }

// shapeCurve returns the value of a curve.
func shapeCurve(kind int, x float64) float64 {
	a := math.Abs(x)
	switch kind {
	case shapeTanh:
		return math.Copysign(shapeTanhs.value(a), x)
	case shapeSoft:
		if a >= 1 {
			return math.Copysign(1, x)
		}
		return float64(float64(1.5*x) * (1 - float64(x*x)/3))
	case shapeHard:
		return max(-1, min(1, x))
	case shapeFold:
		return math.Copysign(1, x) * (1 - math.Abs(shapeFolded(a+1)-2))
	case shapeSine:
		m, sign := shapeFolded(a), math.Copysign(1, x)
		if m > 2 {
			return float64(-sign * shapeSines.value(4-m))
		}
		return float64(sign * shapeSines.value(m))
	}
	if x < 0 {
		return float64(-0.5 * shapeTanhs.value(2*a))
	}
	return shapeTanhs.value(a)
}

// shapeArea returns the antiderivative of a curve, which is 0 at 0.
func shapeArea(kind int, x float64) float64 {
	a := math.Abs(x)
	switch kind {
	case shapeTanh:
		return shapeTanhs.area(a)
	case shapeSoft:
		if a >= 1 {
			return a - 0.375
		}
		q := float64(x * x)
		return float64(q * (0.75 - float64(0.125*q)))
	case shapeHard:
		if a >= 1 {
			return a - 0.5
		}
		return float64(float64(0.5*x) * x)
	case shapeFold:
		m := shapeFolded(a+1) - 1 // [-1, 3)
		if m > 1 {
			return 1 - float64(float64(0.5*(2-m))*(2-m))
		}
		return float64(float64(0.5*m) * m)
	case shapeSine:
		m := shapeFolded(a)
		return shapeSines.area(min(m, 4-m))
	}
	if x < 0 {
		return float64(0.25 * shapeTanhs.area(2*a))
	}
	return shapeTanhs.area(a)
}

// shapeFolded returns x modulo 4, for x of 0 or more.
func shapeFolded(x float64) float64 { return x - float64(4*math.Floor(float64(x*0.25))) }

// shapeTable has a curve for arguments from 0 on, as cubics over cells of 1/32, and its exact
// antiderivative. The curve is constant beyond the last cell. The cubics have the values and
// slopes of the curve at both ends of a cell; their error is below 2e-8.
type shapeTable [][5]float64 // the antiderivative's polynomial over each cell

const shapeCells = 32 // cells for an argument of 1

var (
	shapeTanhs = newShapeTable(10, func(x float64) (y, slope float64) {
		y = approx.Tanh(x)
		return y, 1 - float64(y*y)
	})
	shapeSines = newShapeTable(2, func(x float64) (y, slope float64) {
		return approx.Sin(x / 4), float64(math.Pi / 2 * approx.Cos(x/4))
	})
)

func newShapeTable(end int, curve func(x float64) (y, slope float64)) shapeTable {
	t := make(shapeTable, end*shapeCells+1)
	area := 0.0
	for i := range t {
		y0, s0 := curve(float64(i) / shapeCells)
		y1, s1 := curve(float64(i+1) / shapeCells)
		s0, s1 = s0/shapeCells, s1/shapeCells
		if i == len(t)-1 { // constant from here on
			y1, s0, s1 = y0, 0, 0
		}
		rise := y1 - y0
		c2, c3 := float64(3*rise)-2*s0-s1, s0+s1-2*rise
		t[i] = [5]float64{area, y0 / shapeCells, s0 / (2 * shapeCells), c2 / (3 * shapeCells), c3 / (4 * shapeCells)}
		for _, c := range t[i][1:] {
			area += c
		}
	}
	return t
}

// cell returns the polynomial of the cell of x, which is 0 or more, and the polynomial's argument.
func (t shapeTable) cell(x float64) (*[5]float64, float64) {
	x = float64(x * shapeCells)
	i := len(t) - 1
	if x < float64(i) {
		i = int(x)
	}
	return &t[i], x - float64(i)
}

func (t shapeTable) area(x float64) float64 {
	c, u := t.cell(x)
	p := c[3] + float64(c[4]*u)
	p = c[2] + float64(p*u)
	p = c[1] + float64(p*u)
	return c[0] + float64(p*u)
}

func (t shapeTable) value(x float64) float64 {
	c, u := t.cell(x)
	p := float64(3*c[3]) + float64(float64(4*c[4])*u)
	p = float64(2*c[2]) + float64(p*u)
	p = c[1] + float64(p*u)
	return float64(p * shapeCells)
}

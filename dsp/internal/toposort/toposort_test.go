package toposort_test

import (
	"slices"
	"testing"

	"github.com/music-chronus/chronus/dsp/internal/toposort"
)

func TestSort(t *testing.T) {
	for _, tt := range []struct {
		name  string
		items []int
		waits map[int][]int
		order []int
		ok    bool
	}{
		{"nothing", nil, nil, nil, true},
		{"keeps the list's order", []int{3, 1, 2}, nil, []int{3, 1, 2}, true},
		{"puts sources first", []int{1, 2, 3}, map[int][]int{1: {2, 3}, 2: {3}}, []int{3, 2, 1}, true},
		{"takes the first that is ready", []int{1, 2, 3, 4}, map[int][]int{1: {3}}, []int{2, 3, 1, 4}, true},
		{"stops at a cycle", []int{1, 2, 3}, map[int][]int{2: {3}, 3: {2}}, []int{1}, false},
		{"an item that waits for itself", []int{1}, map[int][]int{1: {1}}, nil, false},
	} {
		order, ok := toposort.Sort(tt.items, tt.waits)
		if !slices.Equal(order, tt.order) || ok != tt.ok {
			t.Errorf("%s: %v, %t; want %v, %t", tt.name, order, ok, tt.order, tt.ok)
		}
	}
}

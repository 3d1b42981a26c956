// Package toposort orders the nodes of a graph for rendering.
package toposort

import "slices"

// Sort returns the items in an order in which each follows the items that it waits for (Kahn's
// algorithm). Of several items that could be next, the first in the list is. If the graph has a
// cycle, ok is false and order holds the items that can be placed.
func Sort(items []int, waits map[int][]int) (order []int, ok bool) {
	placed := map[int]bool{}
	for len(order) < len(items) {
		next := slices.IndexFunc(items, func(item int) bool {
			return !placed[item] && !slices.ContainsFunc(waits[item], func(from int) bool { return !placed[from] })
		})
		if next < 0 {
			return order, false
		}
		placed[items[next]] = true
		order = append(order, items[next])
	}
	return order, true
}

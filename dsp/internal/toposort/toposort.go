// Package toposort orders the nodes of a graph for rendering.
package toposort

// Sort returns the items in an order in which each follows the items that it waits for (Kahn's
// algorithm). The first in the list comes first where several items could be next. If the graph
// has a cycle, ok is false and order holds the items that can be placed.
func Sort(items []int, waits map[int][]int) (order []int, ok bool) {
	index := make(map[int]int, len(items))
	for i, item := range items {
		index[item] = i
	}
	missing, followers := make([]int, len(items)), make([][]int, len(items))
	for i, item := range items {
		missing[i] = len(waits[item])
		for _, from := range waits[item] {
			if k, ok := index[from]; ok {
				followers[k] = append(followers[k], i)
			}
		}
	}
	for next := 0; next < len(items); next++ {
		if missing[next] != 0 {
			continue
		}
		missing[next] = -1 // placed
		order = append(order, items[next])
		first := next
		for _, i := range followers[next] {
			if missing[i]--; missing[i] == 0 {
				first = min(first, i-1)
			}
		}
		next = first
	}
	return order, len(order) == len(items)
}

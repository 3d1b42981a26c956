package main

import (
	"bufio"
	"fmt"
	"io"
	"iter"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/music-chronus/chronus/actors"
	"github.com/music-chronus/chronus/actors/remote"
	"github.com/music-chronus/chronus/actors/report"
)

// lines iterates over the lines of r.
func lines(r io.Reader) iter.Seq[string] {
	return func(yield func(string) bool) {
		for in := bufio.NewScanner(r); in.Scan() && yield(in.Text()); {
		}
	}
}

// residentSize returns a process's resident memory in bytes.
func residentSize(pid int) int {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.Atoi(fields[1])
	return pages * os.Getpagesize()
}

// clocks returns the last reported clocks of all engines.
func (m *monitorProcess) clocks() map[string]uint64 {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := map[string]uint64{}
	for name, k := range m.members {
		c[name] = k.Status.GetClock()
	}
	return c
}

// crowd opens so many stand-ins of engines, prints their addresses, and stays until it is killed.
// The clock of each counts its reports.
func crowd(count string) int {
	n, err := strconv.Atoi(count)
	if err != nil {
		return 2
	}
	for range n {
		node, err := remote.Listen(remote.Options{Address: "127.0.0.1:0"})
		if err == nil {
			err = standIn(node)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		fmt.Println(node.Address())
	}
	fmt.Println("ready")
	select {}
}

// standIn makes a node answer like an engine.
func standIn(node *remote.Node) error {
	var clock atomic.Uint64
	return node.OpenFunc("chronus", func() actors.Status {
		st := actors.Status{
			BootID: node.Address(), Clock: clock.Add(1), Playing: false, Redundant: true, Version: "(devel)",
			Workers: []report.WorkerStatus{{State: "ready", Load: 0.1, Lead: 8}, {Slot: 1, State: "ready", Load: 0.1, Lead: 8}},
		}
		st.Rate, st.Block = 48000, 64
		return st
	})
}

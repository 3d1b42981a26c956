// Package dsp defines modules: signal processors that are described by a [Desc] and run as a
// [Module]. Package dsp/module has the modules of this project, dsp/patch connects them, and
// dsp/stream renders them. A sound depends only on the calls: the same calls give the same bits on
// every machine.
package dsp

// Package dsp says what a module is: a kind of signal processor, described by a [Desc] and
// run as a [Module]. The modules themselves are in dsp/module, how they are wired in dsp/patch, and what
// renders them in dsp/stream. Everything here is a function of its arguments: the same calls give the
// same bits on every machine.
package dsp

#!/bin/sh
# Plays the default patch from a shell, with liblo's oscsend: play.sh [PORT]
set -eu
port=${1:-5005}
send() { oscsend 127.0.0.1 "$port" "$@"; }

send /mod/filter1/mode s lp
send /mod/filter1/cutoff f 900
for note in 220 277.18 329.63 440; do
	send /engine/freq f "$note"
	send /gate/adsr1 T
	sleep 0.2
	send /gate/adsr1 F
	sleep 0.1
done
send '/mod/*/q' f 2 # a pattern: every node that has a q

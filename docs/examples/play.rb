# Plays the default patch from Sonic Pi: paste it into a buffer, and run it.
use_osc "127.0.0.1", 5005

osc "/mod/filter1/mode", "lp"

live_loop :melody do
  osc "/engine/freq", midi_to_hz((scale :e3, :minor_pentatonic).choose)
  osc "/mod/filter1/cutoff", rrand(400, 4000)
  osc "/gate/adsr1", 1
  sleep 0.125
  osc "/gate/adsr1", 0
  sleep 0.125
end

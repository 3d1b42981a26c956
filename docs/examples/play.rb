# Plays the default patch from Sonic Pi: paste it into a buffer, and run it. Stop drops what was still to be sent: if a note
# then sounds on, run only the first line and osc "/gate/adsr1", 0.
use_osc "127.0.0.1", 5005

osc "/mod/filter1/mode", "lp"

live_loop :melody do
  # Sonic Pi sends what has one time in any order: what a note is to have comes before it begins.
  time_warp -0.02 do
    osc "/engine/freq", midi_to_hz((scale :e3, :minor_pentatonic).choose)
    osc "/mod/filter1/cutoff", rrand(400, 4000)
  end
  osc "/gate/adsr1", 1
  sleep 0.125
  osc "/gate/adsr1", 0
  sleep 0.125
end

# Prints what the engine refuses, and why. Its answers come as cues, if Sonic Pi is set to take OSC.
live_loop :refused do
  use_real_time
  puts sync("/osc*/fail")
end

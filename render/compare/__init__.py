"""Methods beside the ground truth: one picture, one camera, one size for all.

layout     where everything lies           captions   names, numbers
bar        colours to millimetres          strip      sound and curves over time, and the playhead
recording  the real video                  compose    frames of all of it
drawer     heads and their errors
figure     stills for a paper              blind      pairs without names, for user studies
"""

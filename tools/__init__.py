"""One thin command each.

render_seq one sequence to one video          doctor         what this machine can do
make_demo  generated singing, rendered        demo           the score, its sound and its motion
command    what every command shares          contact_sheet  stills of a video
"""

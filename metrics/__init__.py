"""Vertices, motion, frames and sound to numbers.

definitions  every metric's name, unit and direction
results      what a benchmark leaves behind
result_file  a result as NAME.json
comparison   which sequences are averaged, and what may be compared at all
weights      the networks that metrics need, and where their files are looked for
"""

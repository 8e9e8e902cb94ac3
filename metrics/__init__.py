"""Vertices, motion, frames and sound to numbers.

definitions  every metric's name, unit and direction
results      what a benchmark leaves behind
result_file  a result as NAME.json
comparison   which sequences are averaged, and what may be compared at all
inference    intervals over subjects, paired tests
summary      all that is printed; summary_tables as Markdown, CSV, LaTeX; figures and page as report.html
report       all that a benchmark writes, in one call
tabulate     the same again, from saved results
weights      the networks that metrics need, and where their files are looked for
"""

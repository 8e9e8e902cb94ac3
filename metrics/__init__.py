"""Vertices, motion, frames and sound to numbers.

weights    the networks that metrics need, and where their files are looked for
"""

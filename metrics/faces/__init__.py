"""Faces in frames: where their landmarks are, whose they are, and what was found kept on disk.

backends      the two kinds of tools, and how one is opened by its name
with_dlib     landmarks and identity by dlib, offline from its packages
with_fan      landmarks by FAN, as the benchmark's authors found them
with_arcface  identity by ArcFace
found_faces   what a backend finds in one video, from disk where it was found before
"""

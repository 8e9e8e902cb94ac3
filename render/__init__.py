"""Vertices to frames to video.

clip       one clip, whole: the place to start
camera, scene, texture                        what is seen, and from where
rasterizer the two backends and the choice    software, gl   the backends; normals
sound      vocals and music to one track      video          frames and sound to an mp4
asset      a clip as a 3D file: glTF, OBJ, PLY, NPZ
"""

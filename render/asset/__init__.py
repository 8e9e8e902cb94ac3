"""A sequence as a portable 3D asset: its whole motion, to be seen from anywhere and in other programs.

basis, vertex_basis   the moving face as a rest shape and weighted displacements    joints   the moving skeleton
animation             both together: the place to start
gltf                  the animation as a glTF binary        glb, morph_normals      what that is made with
mesh_files            frames as OBJ, PLY and NPZ             influences, seams      what glTF wants to know of vertices
"""

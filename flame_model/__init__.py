"""FLAME parameters to vertices.

    sequence   one clip's motion from a file      dataset   which file belongs to which clip
    params     the 59 numbers of a frame by name  rotations axis-angle arithmetic
    model      FlameModel -> Subject -> vertices  arrays    what a head model consists of
    flame_file FLAME's own files                  stand_in  the licence-free head
    regions    named sets of vertices             landmarks the two sets of 68 points
    stored_file a file on disk or in a zip        archive   a zip read in place
    array_file, safe_pickle, pickled              files that nobody vouches for
    errors, shapes                                messages that tell the fix

Nothing here knows of rendering or metrics.
"""

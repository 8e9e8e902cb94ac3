"""Render a list of clips with many processes, on one machine or many, and lose nothing.

    manifest   what became of every clip, one JSON line each       claims   who is at work on what, told by locks
    job        what all clips of a run have in common              plan     which clips are still to be made
    one_clip   one clip from claim to name: what a worker does     workers  processes: our own, or a cluster's
    run        hand the clips out, try again, and stop

A clip's life, in the folder OUT::

    to do --claim--> being made in .work/clips/ID/OWNER/ --record--> recorded as done --rename--> done: OUT/ID.mp4
      ^                 |          |
      |                 |          +--error--> recorded as failed: tried again by --retries, and by the next run
      +--killed, disk full, stopped--+

* *Claim*: an exclusive ``flock`` on ``.work/locks/ID``, which the kernel gives back when its holder dies, however it dies.
  Whoever holds it, and nobody else, may write ``.work/clips/ID/`` and ``ID.mp4``; what a dead holder left there is removed
  by the next. A clip that another run holds is left to it, and looked at again later.
* *Record before rename*: the worker that made the video appends its record, with the video's hash, and then gives it its
  name. So there is never a video under its name that no record knows, whichever process is killed at whichever moment; and
  a record whose video did not get its name is seen to have none, and the clip is made again.
* *Done* is a clip whose last record says so, was made from the same inputs with the same options and model, and whose file
  is the one that was recorded.
"""

"""Generated singing for the demo and the metrics' tests: three songs, as sound and as the motion that follows it.

score      songs, their lines, notes and phonemes       signals    smooth curves and noise
phonemes   how vowels and consonants sound              mouth      jaw and lips from phonemes
voice      a song sung                                  motion     a song performed by a head
band       drums, bass and chords                       dataset    all of it written

Everything follows one score, so the true beats, sounds, closed lips and nods of each clip are known. Whatever is left to
chance is seeded by the clip's ID: the same to the bit, each time. Vocals peak at -4 dBFS and measure -12 to -17 LUFS (ITU-R
BS.1770), the music at -12 dBFS and -21 to -23 LUFS; their sum does not clip.

:func:`~singinghead.tools.demo.dataset.write_dataset` writes, beside the release's own folders,

``methods/smoothed/ID.pkl``  the truth under a Gaussian: peaks shrink and closed lips open a little
``methods/late/ID.pkl``      the truth, 120 ms late
``truth/ID.json``            the song's own fields, and, times in seconds from the first frame:

    beats_s         of the music
    notes           start_s (of the vowel: on the beat), end_s, midi, syllable
    lines           text, and phonemes: symbol, start_s, end_s (consonants come before the beat)
    phonemes        those of all lines
    breaths         [start_s, end_s] of each breath that is heard
    blinks          when the eyes begin to shut
    lip_closures    [start_s, end_s] while the lips are shut: in m, b, p, and in long rests
    closed_frames   the frames within those, from 0, at 30 frames a second
    nod_beats_s     when the head comes to rest on a beat
    methods         what was done to the truth to make each method
"""

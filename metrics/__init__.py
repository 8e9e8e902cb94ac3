"""Vertices, motion, frames and sound to numbers.

    from singinghead.metrics import lip_vertex_error      numpy arrays or torch tensors in, as in a training loop

definitions    every metric's name, unit and direction
results        what a benchmark leaves behind
result_file    a result as NAME.json
comparison     which sequences are averaged, and what may be compared at all
inference      intervals over subjects, paired tests
summary        all that is printed; summary_tables as Markdown, CSV, LaTeX; figures and page as report.html
report         all that a benchmark writes, in one call
tabulate       the same again, from saved results

vertex_errors, face_dynamics, smoothness              of vertices, numpy or torch
motion_distance, beat_scores, mouth, audio_beats      of parameters, landmarks and sound
seed_formulas                                         where the SingingHead benchmark's own differ
evaluate_3d    methods against the ground truth: clips, sound_of_clip and head are what goes in;
               clip_measures, mesh_measures, motion_measures, seed_measures and measured_values what comes out

video_reader   frames of a video by time, and its sound
reading        ffmpeg reading one file, believed only when it has nothing to complain about
image_quality  PSNR and SSIM
sharpness      CPBD
perceptual     LPIPS
inception      the features that FID and KID compare
frechet        FID and KID of two sets of features
networks       what the networks share: weights read safely, the same numbers every time
weights        the networks that metrics need, and where their files are looked for

faces          landmarks and identities of faces in frames
landmark_distances, landmark_beats  what they say beside the true ones, and beside the sound
eval_folder    which videos and sounds belong together
instruments    networks and detectors, opened once
one_video      what a video has by itself; video_pair beside the true one; clip_2d of all methods; stored_arrays keeps it
clip_workers   processes that may die
evaluate_2d    the 2D benchmark; pooled_2d its FID and KID, required_metrics what may not be null
"""

from singinghead.metrics.beat_scores import BeatAlignment, beat_alignment, motion_beats
from singinghead.metrics.face_dynamics import upper_face_dynamics_deviation
from singinghead.metrics.motion_distance import (
    head_rotation_error,
    point_diversity,
    vector_distance,
    vector_diversity,
)
from singinghead.metrics.mouth import (
    lip_closure_f1,
    mouth_lag_ms,
    mouth_opening,
    opening_error,
    speech_lip_correlation,
    warped_opening_error,
)
from singinghead.metrics.smoothness import head_motion, jitter, velocity_error
from singinghead.metrics.vertex_errors import (
    best_sample,
    errors_by_region,
    lip_error_curve,
    lip_vertex_error,
    lip_vertex_error_squared,
    vertex_error,
    vertex_error_curve,
)

__all__ = [
    "BeatAlignment",
    "beat_alignment",
    "best_sample",
    "errors_by_region",
    "head_motion",
    "head_rotation_error",
    "jitter",
    "lip_closure_f1",
    "lip_error_curve",
    "lip_vertex_error",
    "lip_vertex_error_squared",
    "motion_beats",
    "mouth_lag_ms",
    "mouth_opening",
    "opening_error",
    "point_diversity",
    "speech_lip_correlation",
    "upper_face_dynamics_deviation",
    "vector_distance",
    "vector_diversity",
    "velocity_error",
    "vertex_error",
    "vertex_error_curve",
    "warped_opening_error",
]

"""Vertices, motion, frames and sound to numbers.

definitions    every metric's name, unit and direction
results        what a benchmark leaves behind
result_file    a result as NAME.json
comparison     which sequences are averaged, and what may be compared at all
inference      intervals over subjects, paired tests
summary        all that is printed; summary_tables as Markdown, CSV, LaTeX; figures and page as report.html
report         all that a benchmark writes, in one call
tabulate       the same again, from saved results

video_reader   frames of a video by time, and its sound
reading        ffmpeg reading one file, believed only when it has nothing to complain about
image_quality  PSNR and SSIM
sharpness      CPBD
perceptual     LPIPS
inception      the features that FID and KID compare
frechet        FID and KID of two sets of features
networks       what the networks share: weights read safely, the same numbers every time
weights        the networks that metrics need, and where their files are looked for
"""

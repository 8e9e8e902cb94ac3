"""Vertices, motion, frames and sound to numbers.

definitions    every metric's name, unit and direction
results        what a benchmark leaves behind
weights        the networks that metrics need, and where their files are looked for
networks       what the networks share: weights read safely, the same numbers every time
reading        ffmpeg reading one file, believed only when it has nothing to complain about
video_reader   frames of a video by time, and its sound
image_quality  PSNR and SSIM
sharpness      CPBD
perceptual     LPIPS
inception      the features that FID and KID compare
frechet        FID and KID of two sets of features
"""

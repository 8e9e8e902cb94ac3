"""Three loop shapes by which others render FLAME with pyrender, in our own words; no line is theirs.

All draw our scene (head, materials, lights, camera), and where a shape leaves a choice it is the faster one: parts'
indices are made once, contexts are given back, vertices come in batches unless the shape says one by one.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import imageio_ffmpeg
import numpy as np
from clip_job import Job
from numpy.typing import NDArray

from singinghead.flame_model.arrays import PARENTS
from singinghead.flame_model.model import FlameModel, Subject
from singinghead.flame_model.params import FlameParams, Frames
from singinghead.flame_model.sequence import ParamSequence
from singinghead.render.camera import fixed_camera
from singinghead.render.gl import pyrender_scene
from singinghead.render.scene import head_scene

Pictures = Iterator[NDArray[np.uint8]]


class Studio:
    """What a peer has at hand before its loop begins: faces, colours and materials of our scene."""

    def __init__(self, subject: Subject) -> None:
        self.scene = head_scene(subject, anatomy=False)
        self.camera = fixed_camera(subject)
        self.faces = np.concatenate([part.faces for part in self.scene.parts])
        self._parts = [(part.material, *np.unique(part.faces, return_inverse=True)) for part in self.scene.parts]

    def mesh(self, vertices: Frames) -> Any:
        """A new ``pyrender.Mesh`` with trimesh's vertex normals."""
        import pyrender
        import trimesh

        normals = trimesh.Trimesh(vertices, self.faces, process=False).vertex_normals
        return pyrender.Mesh(
            [
                pyrender.Primitive(
                    positions=vertices[own],
                    normals=normals[own],
                    color_0=np.column_stack([self.scene.vertex_colors[own], np.ones(len(own))]),
                    indices=corners.reshape(-1, 3),
                    material=pyrender.MetallicRoughnessMaterial(
                        baseColorFactor=(*map(float, material.color), 1.0),
                        metallicFactor=0.0,
                        roughnessFactor=material.roughness,
                        doubleSided=material.double_sided,
                    ),
                )
                for material, own, corners in self._parts
            ]
        )

    def furnished(self, *meshes: Any) -> Any:
        """A new ``pyrender.Scene`` with our lights and camera."""
        return pyrender_scene(self.scene, self.camera, list(meshes))


def one_by_one(subject: Subject, sequence: ParamSequence, device: str) -> Iterator[Frames]:
    """Vertices by one forward pass a frame, identity and expression together, as FLAME's usual class does it."""
    import torch
    from smplx.lbs import lbs

    def put(array: NDArray[Any]) -> torch.Tensor:
        return torch.from_numpy(np.ascontiguousarray(array, np.float32)).to(device)

    arrays, params = subject.arrays, sequence.params
    shape = np.zeros(arrays.shape_basis.shape[2]) if sequence.shape is None else sequence.shape
    template, regressor, skinning = put(arrays.template[None]), put(arrays.joint_regressor), put(arrays.skinning)
    basis = put(np.concatenate([arrays.shape_basis[:, :, : len(shape)], arrays.expression_basis], axis=2))
    pose_basis = put(arrays.pose_basis.reshape(-1, arrays.pose_basis.shape[2]).T)
    parents = torch.tensor(PARENTS, device=device)
    for expression, pose in zip(params.expression, params.full_pose(), strict=True):
        betas = put(np.concatenate([shape, expression])[None])
        with torch.no_grad():
            moved, _joints = lbs(betas, put(pose[None]), template, basis, pose_basis, regressor, parents, skinning)
        yield moved[0].cpu().numpy()


def batched(subject: Subject, params: FlameParams) -> Iterator[Frames]:
    """Vertices by our own forward pass."""
    for chunk in subject.chunks(params):
        yield from chunk


def draw_n1(subject: Subject, sequence: ParamSequence, job: Job) -> Pictures:
    """One renderer; vertices, mesh and scene anew each frame."""
    import pyrender

    studio, renderer = Studio(subject), pyrender.OffscreenRenderer(job.size, job.size)
    for vertices in one_by_one(subject, sequence, job.device):
        color, _depth = renderer.render(studio.furnished(studio.mesh(vertices)))
        yield color
    renderer.delete()


def draw_n2(subject: Subject, sequence: ParamSequence, job: Job) -> Pictures:
    """Everything anew each frame, the GL context too."""
    import pyrender

    studio = Studio(subject)
    for vertices in batched(subject, sequence.params):
        renderer = pyrender.OffscreenRenderer(job.size, job.size)
        color, _depth = renderer.render(studio.furnished(studio.mesh(vertices)))
        renderer.delete()
        yield color


def draw_n3(subject: Subject, sequence: ParamSequence, job: Job) -> Pictures:
    """One renderer, one scene; the mesh's node is swapped each frame."""
    import pyrender

    studio, renderer = Studio(subject), pyrender.OffscreenRenderer(job.size, job.size)
    scene = studio.furnished()
    for vertices in batched(subject, sequence.params):
        node = scene.add(studio.mesh(vertices))
        color, _depth = renderer.render(scene)
        scene.remove_node(node)
        yield color
    renderer.delete()


def encode_n1(pictures: Pictures, wav: str | None, job: Job) -> None:
    """A PNG file a frame, then moviepy."""
    from moviepy import AudioFileClip, ImageSequenceClip
    from PIL import Image

    with tempfile.TemporaryDirectory(prefix="singinghead-bench-") as folder:
        files = []
        for index, picture in enumerate(pictures):
            files.append(f"{folder}/{index:06d}.png")
            Image.fromarray(picture).save(files[-1])
        clip = ImageSequenceClip(files, fps=job.fps)
        sound = None if wav is None else AudioFileClip(wav)
        clip.with_audio(sound).write_videofile(
            job.out,
            codec="libx264",
            preset=job.preset,
            pixel_format="yuv420p",
            ffmpeg_params=["-crf", str(job.crf)],
            audio_codec="aac",
            audio_bitrate="192k",
            temp_audiofile_path=folder,
            logger=None,
        )
        if sound is not None:
            sound.close()


def encode_n2(pictures: Pictures, wav: str | None, job: Job) -> None:
    """MPEG-4 into a file, by ffmpeg at the quality of OpenCV's ``mp4v`` (qmin 3); H.264 from that; then the sound."""
    with tempfile.TemporaryDirectory(prefix="singinghead-bench-") as folder:
        rough, fine = f"{folder}/rough.mp4", f"{folder}/fine.mp4"
        _pipe(pictures, job, "-c:v", "mpeg4", "-q:v", "3", rough)
        _ffmpeg("-i", rough, *_h264(job), fine)
        _ffmpeg("-i", fine, *_with_sound(wav), "-c:v", "copy", job.out)


def encode_n3(pictures: Pictures, wav: str | None, job: Job) -> None:
    """Raw frames into one ffmpeg, which has the sound beside it."""
    _pipe(pictures, job, *_with_sound(wav), *_h264(job), job.out)


@dataclass(frozen=True)
class Loop:
    """How a peer draws and how it encodes."""

    draw: Callable[[Subject, ParamSequence, Job], Pictures]
    encode: Callable[[Pictures, str | None, Job], None]


LOOPS = {"N1": Loop(draw_n1, encode_n1), "N2": Loop(draw_n2, encode_n2), "N3": Loop(draw_n3, encode_n3)}


def render_as_peer(model: FlameModel, sequence: ParamSequence, job: Job) -> None:
    """The whole of a peer's job, parameters to mp4; vocals and BGM are mixed as for ours."""
    from singinghead.render.sound import mixed

    loop = LOOPS[job.case]
    pictures = loop.draw(model.with_shape(sequence.shape, job.device), sequence, job)
    if not any(job.sound):
        return loop.encode(pictures, None, job)
    with mixed(len(sequence) / job.fps, *job.sound) as track:
        return loop.encode(pictures, str(track.path), job)


def _h264(job: Job) -> list[str]:
    return ["-c:v", "libx264", "-preset", job.preset, "-crf", str(job.crf), "-pix_fmt", "yuv420p"]


def _with_sound(wav: str | None) -> list[str]:
    return [] if wav is None else ["-i", wav, "-map", "0:v", "-map", "1:a", "-c:a", "aac", "-b:a", "192k"]


def _pipe(pictures: Iterable[NDArray[np.uint8]], job: Job, *arguments: str) -> None:
    frames = ["-f", "rawvideo", "-pix_fmt", "rgb24", "-s", f"{job.size}x{job.size}", "-r", str(job.fps), "-i", "pipe:0"]
    process = subprocess.Popen(_command(*frames, *arguments), stdin=subprocess.PIPE)
    assert process.stdin is not None
    for picture in pictures:
        process.stdin.write(np.ascontiguousarray(picture).data)
    process.stdin.close()
    if process.wait():
        raise subprocess.CalledProcessError(process.returncode, "ffmpeg")


def _ffmpeg(*arguments: str) -> None:
    subprocess.run(_command("-nostdin", *arguments), check=True)


def _command(*arguments: str) -> list[str]:
    return [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-y", *arguments]

"""What the gallery shows: one entry a picture."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """One picture, and the command that makes it.

    Attributes:
        group: under which heading.
        name: of the file, without suffix.
        caption: what is seen.
        options: of the command; ``{scratch}`` and ``{root}`` stand for folders.
        frames: of the video, side by side.
        layers: of the first of them, instead of the video.
        sequence: within the dataset.
        is_comparison: ``compare.py`` makes it, not ``render_seq.py``.
        suffix: of what the command writes.
        width: of the picture, pixels, at most.
    """

    group: str
    name: str
    caption: str
    options: str = ""
    frames: tuple[int, ...] = (20,)
    layers: tuple[str, ...] = ()
    sequence: str = "flame_seqs/piece.pkl"
    is_comparison: bool = False
    suffix: str = ".mp4"
    width: int = 1344

    @property
    def shown_command(self) -> str:
        """As a user would type it."""
        options = self.options.replace("{scratch}/", "").replace("{root}", "SingingHead")
        if self.is_comparison:
            return f"compare.py ID --data-root SingingHead --pred late=DIR --pred smoothed=DIR {options}".rstrip()
        return f"render_seq.py SEQ {options}".rstrip()


_THREE = (6, 20, 34)

ENTRIES = (
    Entry("Styles", "house", "The house style: soft light, shadow where light does not reach", frames=_THREE),
    Entry("Styles", "paper", "For print: pale clay on white", "--style paper", _THREE),
    Entry("Styles", "studio", "A dark room, a bright outline", "--style studio", _THREE),
    Entry("Views", "views", "Several views in one video", "--view front,three-quarter,left"),
    Entry("Views", "turntable", "Once around the head while the clip lasts", "--turntable", (2, 14, 26, 38)),
    Entry("Views", "fit", "A camera that sees the whole motion", "--camera fit"),
    Entry("Views", "pose-zero", "Without the head's motion", "--pose zero"),
    Entry("Over the surface", "wireframe", "The mesh", "--wireframe", _THREE),
    Entry("Over the surface", "landmarks-full", "68 landmarks fixed to the mesh, where they are seen", "--landmarks full"),
    Entry(
        "Over the surface",
        "landmarks-contour",
        "68 landmarks whose jaw line slides along the outline",
        "--landmarks contour --view front,three-quarter",
    ),
    Entry("Over the surface", "regions", "Borders of the model's regions", "--regions"),
    Entry("Colours", "by-region", "The regions by name", "--colour-by region"),
    Entry("Colours", "by-speed", "How fast each vertex moves", "--colour-by speed", _THREE),
    Entry(
        "Colours",
        "by-error",
        "How far a prediction is from the ground truth",
        "--colour-by error --data-root {root}",
        _THREE,
        sequence="methods/late/piece.pkl",
    ),
    Entry("Skin and background", "background-colour", "Any colour", "--background #7d93a8"),
    Entry("Skin and background", "background-image", "Any picture", "--background {scratch}/evening.png"),
    Entry("Skin and background", "texture", "Any skin, laid out as the model says", "--texture {scratch}/checks.png"),
    Entry(
        "Layers",
        "layers",
        "Depth (16 bits), normals, parts, and the head with straight alpha: PNG sequences, or WebM for alpha",
        "--layer depth,normal,part,alpha --alpha-as png",
        layers=("depth", "normal", "part", "alpha"),
    ),
    Entry(
        "Comparisons",
        "compare",
        "Methods beside the ground truth, with sound: errors in mm, beats, lip error and mouth opening over time",
        frames=(153,),
        is_comparison=True,
    ),
    Entry(
        "Comparisons",
        "compare-views",
        "The same from two sides, with the mesh",
        "--view front,three-quarter --wireframe",
        frames=(153,),
        is_comparison=True,
    ),
    Entry(
        "Comparisons",
        "figure",
        "A figure for a paper, also as PDF",
        "--still 1.55s,5.1s",
        is_comparison=True,
        suffix=".png",
    ),
)

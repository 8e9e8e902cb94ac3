"""The result of a benchmark as text."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

_STAGES = ("flame", "normals", "draw", "encode")


def text(result: dict[str, Any]) -> str:
    """Machine, the cases' table, the stages' table."""
    machine, settings = result["machine"], result["settings"]
    measured = [row for row in result["cases"] if "not_measured" not in row]
    lines = [
        f"{machine['cpu']}, {machine['cores']} cores, load {machine['load_before']:.1f} before | GL: {machine['gl']}",
        f"head: {machine['head']} | ffmpeg {machine['ffmpeg']}, H.264 crf 18, AAC | commit {machine['commit']}",
        ", ".join(f"{name} {version}" for name, version in machine["versions"].items()),
        "",
        f"parameters to mp4 with sound, median of {settings['runs']} runs",
        *table(
            (
                "size",
                "case",
                "preset",
                "frames",
                "fps",
                "range",
                "x N1",
                "x N2",
                "x N3",
                "process s",
                "peak MB",
                "SSIM",
                "kB/frame",
            ),
            [_case(row) for row in measured],
        ),
        *_missing(result["cases"]),
    ]
    staged = [row for row in result["stages"] if "not_measured" not in row]
    if staged:
        kernels = list(dict.fromkeys(name for row in staged for name in row["kernels_cpu_ms"]))
        lines += [
            "",
            "where the time goes, processor ms a frame, each stage alone (draw contains normals and the conversion to YUV;",
            "draw's parts by the software rasterizer's own names) | seconds once a clip",
            *table(
                ("size", "case", "preset", *_STAGES, *kernels, "| subject", "rasterizer", "sound"),
                [_stage(row, kernels) for row in staged],
            ),
        ]
    return "\n".join([*lines, *_missing(result["stages"])])


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of right-aligned columns."""
    widths = [max(len(cell) for cell in column) for column in zip(head, *rows, strict=True)]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in (head, *rows)]


def _case(row: dict[str, Any]) -> list[str]:
    fps = row["fps"]
    ratios = [f"{row['ratio_to'][name]:.2f}" if name in row["ratio_to"] else "-" for name in ("N1", "N2", "N3")]
    return [
        str(row["size"]),
        row["case"],
        row["preset"],
        str(row["frames"]),
        f"{fps['median']:.1f}",
        f"{fps['min']:.1f} to {fps['max']:.1f}",
        *ratios,
        f"{median(run['process_seconds'] for run in row['runs']):.1f}",
        f"{row['peak_mb']:.0f}",
        f"{row['ssim']:.4f}",
        f"{row['bytes'] / row['frames'] / 1000:.1f}",
    ]


def _stage(row: dict[str, Any], kernels: list[str]) -> list[str]:
    parts = [f"{row['kernels_cpu_ms'][name]:.2f}" if name in row["kernels_cpu_ms"] else "-" for name in kernels]
    names = [str(row["size"]), row["case"], row["preset"]]
    each = [f"{row['cpu_ms'][stage]:.2f}" for stage in _STAGES]
    return [*names, *each, *parts, *(f"{row['once_s'][name]:.2f}" for name in ("subject", "rasterizer", "sound"))]


def _missing(rows: list[dict[str, Any]]) -> list[str]:
    """One line a reason, with the cases that it kept from being measured."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if "not_measured" in row:
            reasons.setdefault(row["not_measured"], []).append(f"{row['case']} {row['size']} {row['preset']}")
    return [f"not measured: {', '.join(names)}: {reason}" for reason, names in reasons.items()]

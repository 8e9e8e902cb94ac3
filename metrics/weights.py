"""The networks that metrics need: each one's file, licence, source and hash, and where it is looked for.

Nothing is ever downloaded unasked; ``python tools/weights.py get NAME`` does it when asked.
"""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from importlib.util import find_spec
from os import PathLike
from pathlib import Path

from singinghead.flame_model.errors import InputError, MissingWeightsError

ENVIRONMENT_VARIABLE = "SINGINGHEAD_WEIGHTS"

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Network:
    """One file of weights.

    Attributes:
        name: what we call it.
        file: its published file name.
        needed_for: metrics, by name.
        licence: what its authors allow.
        source: where :mod:`~singinghead.tools.weights` gets it; empty where it is not published as a file of its own.
        sha256_prefix: the whole hash, or as much of it as its publisher put into the name; empty where neither is known,
            and the file is then used unverified.
        package: the Python package that brings it, if one does.
        folder: where its own library keeps it: within the package, or under the home directory; empty means torch hub's
            cache.
        hint: how to get it where it has no source.
    """

    name: str
    file: str
    needed_for: str
    licence: str
    source: str = ""
    sha256_prefix: str = ""
    package: str = ""
    folder: str = ""
    hint: str = ""


@dataclass(frozen=True)
class FoundWeights:
    """A network's file as it was found, for the record of a result.

    Attributes:
        network: whose it is.
        path: where it lies.
        sha256: of the whole file.
        verified: whether that is the published one; False where none is published.
    """

    network: Network
    path: Path
    sha256: str
    verified: bool


_FAN = "https://www.adrianbulat.com/downloads/python-fan/"
_DLIB_MODELS = "face_recognition_models"

NETWORKS = (
    Network(
        "inception", "weights-inception-2015-12-05-6726825d.pth", "FID, KID", "Apache-2.0",
        "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/weights-inception-2015-12-05-6726825d.pth",
        "6726825d",
    ),
    Network(
        "alexnet", "alexnet-owt-7be5be79.pth", "LPIPS", "BSD-3-Clause; trained on ImageNet, whose terms are non-commercial",
        "https://download.pytorch.org/models/alexnet-owt-7be5be79.pth", "7be5be79",
    ),
    Network(
        "lpips_heads", "alex.pth", "LPIPS", "BSD, as lpips", package="lpips", folder="weights/v0.1",
        sha256_prefix="df73285e35b22355a2df87cdb6b70b343713b667eddbda73e1977e0c860835c0",
    ),
    Network(
        "fan", "2DFAN4-11f355bf06.pth.tar", "F-LMD and M-LMD by fan", "BSD-3-Clause, as face-alignment",
        f"{_FAN}2DFAN4-11f355bf06.pth.tar", "11f355bf06",
    ),
    Network(
        "s3fd", "s3fd-619a316812.pth", "F-LMD and M-LMD by fan", "BSD-3-Clause, as face-alignment",
        f"{_FAN}s3fd-619a316812.pth", "619a316812",
    ),
    Network(
        "dlib_landmarks", "shape_predictor_68_face_landmarks.dat", "F-LMD, M-LMD and BA by dlib",
        "trained on 300-W, whose terms exclude commercial use", package=_DLIB_MODELS, folder="models",
        sha256_prefix="fbdc2cb80eb9aa7a758672cbfdda32ba6300efe9b6e6c7a299ff7e736b11b92f",
    ),
    Network(
        "dlib_identity", "dlib_face_recognition_resnet_model_v1.dat", "CSIM by dlib", "CC0-1.0",
        package=_DLIB_MODELS, folder="models",
        sha256_prefix="55533b28a95800a551ba546ba62fe69625c7e95a7061c338adffead08719da30",
    ),
    Network(
        "arcface", "w600k_r50.onnx", "CSIM by arcface", "non-commercial research only",
        folder=".insightface/models/buffalo_l",
        hint="published within buffalo_l.zip, https://github.com/deepinsight/insightface/releases/tag/v0.7",
    ),
)  # fmt: skip


def network_named(name: str) -> Network:
    """The network of a name.

    Raises:
        InputError: there is none; lists those that there are.
    """
    for network in NETWORKS:
        if network.name == name:
            return network
    raise InputError(f"no network '{name}'", remedy=f"one of {', '.join(network.name for network in NETWORKS)}")


def search_folders(folder: str | PathLike[str] | None = None, network: Network | None = None) -> list[Path]:
    """Where weights are looked for, in order: ``folder``, ``$SINGINGHEAD_WEIGHTS``, the library's own cache.

    The last is torch hub's, unless ``network`` is one whose library keeps it elsewhere or whose package brings it; it is
    left out where that package is not installed.
    """
    given = [folder, os.environ.get(ENVIRONMENT_VARIABLE)]
    return [*(Path(place) for place in given if place), *_own_cache(network)]


def find_weights(network: Network, folder: str | PathLike[str] | None = None) -> Path | None:
    """The network's file, or None where it is in none of :func:`search_folders`."""
    places = search_folders(folder, network)
    return next((place / network.file for place in places if (place / network.file).is_file()), None)


def require_weights(name: str, folder: str | PathLike[str] | None = None) -> FoundWeights:
    """A network's file, hashed.

    Args:
        name: of the network.
        folder: where it is looked for first.

    Raises:
        MissingWeightsError: it is nowhere.
        InputError: there is no such network, or the file is not the published one: its numbers would not be comparable.
    """
    network = network_named(name)
    path = find_weights(network, folder)
    if path is None:
        raise MissingWeightsError(f"{network.needed_for}: {absence(network, folder)}", remedy=remedy(network))
    found = examine(network, path)
    if network.sha256_prefix and not found.verified:
        raise InputError(mismatch(network, found.sha256), file=path, remedy=remedy(network))
    return found


def examine(network: Network, path: Path) -> FoundWeights:
    """Hash a network's file, and say whether it is the published one.

    Raises:
        InputError: it cannot be read.
    """
    digest = hashlib.sha256()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", file=path) from error
    sha256 = digest.hexdigest()
    return FoundWeights(network, path, sha256, bool(network.sha256_prefix) and sha256.startswith(network.sha256_prefix))


def absence(network: Network, folder: str | PathLike[str] | None = None) -> str:
    """One line on a network that is nowhere: its file, its hash, and where it was looked for."""
    places = ", ".join(str(place) for place in search_folders(folder, network)) or "any folder"
    known = f"SHA-256 {network.sha256_prefix}..." if network.sha256_prefix else "no published SHA-256"
    return f"{network.file} ({known}) is not in {places}"


def remedy(network: Network) -> str:
    """How a user gets the file."""
    if network.package:
        return "pip install -c constraints.txt -e '.[metrics2d]'"
    how = f"{network.hint}; unpack it" if network.hint else f"python tools/weights.py get {network.name}, or put it"
    return f"{how} into one of these folders or one named by --weights or ${ENVIRONMENT_VARIABLE}"


def mismatch(network: Network, sha256: str) -> str:
    """One line on a file that is not the published one."""
    wanted = network.sha256_prefix
    return f"not the published {network.file}: its SHA-256 begins with {sha256[: len(wanted)][:16]}, not {wanted[:16]}"


def _own_cache(network: Network | None) -> list[Path]:
    if network is not None and network.package:
        spec = find_spec(
            network.package
        )  # its own import may need what is not there: face_recognition_models' pkg_resources
        return [Path(place) / network.folder for place in (spec and spec.submodule_search_locations) or []]
    if network is not None and network.folder:
        return [Path.home() / network.folder]
    return [Path(os.environ.get("TORCH_HOME") or Path.home() / ".cache" / "torch") / "hub" / "checkpoints"]

"""The networks' weights: which there are, whether they are whole, and to get one when asked."""

from __future__ import annotations

try:
    import singinghead.tools.command as command
except ModuleNotFoundError as missing:
    import sys

    print(f"{missing.name} is not in this Python: run `make setup` once, then use .venv/bin/python", file=sys.stderr)
    raise SystemExit(2) from None

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

from singinghead.flame_model.errors import InputError, UnavailableError
from singinghead.metrics import weights
from singinghead.metrics.weights import Network
from singinghead.tools.fetching import fetch

Flag = Annotated[bool, tyro.conf.FlagCreatePairsOff]


@dataclass(frozen=True)
class List:
    """Say for each network where it is looked for and whether it is there."""

    weights: Path | None = None
    """A folder to look in first, before $SINGINGHEAD_WEIGHTS and the library's own cache."""
    json: Flag = False
    """Make the last line of stdout one JSON object."""


@dataclass(frozen=True)
class Check:
    """Hash what is there: whole or not. Exit code 1 if a file is not the published one, or a named one is missing."""

    names: tyro.conf.Positional[tuple[str, ...]] = ()
    """Networks to check. Default: all that are there."""
    weights: Path | None = None
    """A folder to look in first, before $SINGINGHEAD_WEIGHTS and the library's own cache."""
    json: Flag = False
    """Make the last line of stdout one JSON object."""


@dataclass(frozen=True)
class Get:
    """Download one network's weights, verify them by their hash, and put them where they are looked for."""

    name: tyro.conf.Positional[str]
    """The network, as `list` names it."""
    weights: Path | None = None
    """The folder to put it in. Default: $SINGINGHEAD_WEIGHTS, else the library's own cache."""
    url: str | None = None
    """Get it from there, e.g. a mirror; the hash must be the published one all the same."""
    json: Flag = False
    """Make the last line of stdout one JSON object."""


@dataclass(frozen=True)
class Options:
    """The networks' weights: list them, check their hashes, or get one. Nothing is downloaded unless `get` asks."""

    action: tyro.conf.OmitSubcommandPrefixes[
        Annotated[List, tyro.conf.subcommand("list")]
        | Annotated[Check, tyro.conf.subcommand("check")]
        | Annotated[Get, tyro.conf.subcommand("get")]
    ]


def work(options: Options) -> int:
    """Do what was asked; see :class:`List`, :class:`Check` and :class:`Get`."""
    action = options.action
    if isinstance(action, List):
        return list_weights(action)
    return check_weights(action) if isinstance(action, Check) else get_weights(action)


def list_weights(options: List) -> int:
    """Print two lines a network."""
    records = {}
    for network in weights.NETWORKS:
        path = weights.find_weights(network, options.weights)
        state = "found" if path else "missing"
        print(f"{state:<10} {network.name:<14} {path or weights.absence(network, options.weights)}")
        source = network.source or (f"the package {network.package}" if network.package else network.hint)
        print(f"{'':<10} {'':<14} for {network.needed_for}; licence: {network.licence}; from {source}")
        records[network.name] = {"state": state, **_record(network, path)}
    if options.json:
        command.print_json(records)
    return 0


def check_weights(options: Check) -> int:
    """Print one line a network."""
    chosen = [weights.network_named(name) for name in options.names] or list(weights.NETWORKS)
    records, worst = {}, 0
    for network in chosen:
        path = weights.find_weights(network, options.weights)
        if path is None:
            state, detail, sha256 = "missing", weights.absence(network, options.weights), None
        else:
            found = weights.examine(network, path)
            state = "ok" if found.verified else "wrong" if network.sha256_prefix else "unverified"
            sha256 = found.sha256
            detail = f"{path}: {weights.mismatch(network, sha256)}" if state == "wrong" else f"{path}: SHA-256 {sha256}"
        print(f"{state:<10} {network.name:<14} {detail}", flush=True)
        records[network.name] = {"state": state, "sha256": sha256, **_record(network, path)}
        worst = max(worst, int(state == "wrong" or (state == "missing" and bool(options.names))))
    if options.json:
        command.print_json(records)
    return worst


def get_weights(options: Get) -> int:
    """Download one file, unless it is there and right.

    Raises:
        InputError: no such network, or one that a package brings or that is no file of its own.
        UnavailableError: it cannot be had, or is not the published one.
    """
    network = weights.network_named(options.name)
    path = _target(network, options.weights)
    present = weights.examine(network, path) if path.is_file() else None
    if present is not None and (present.verified or not network.sha256_prefix) and options.url is None:
        sha256, done = present.sha256, "is there already"
    else:
        sha256, done = _fetched(network, path, options.url), "is there now"
    verified = "as published" if network.sha256_prefix else "unverified: none is published"
    print(f"{path} {done}; SHA-256 {sha256} ({verified})")
    if options.json:
        command.print_json({"name": network.name, "sha256": sha256, **_record(network, path)})
    return 0


def _target(network: Network, folder: Path | None) -> Path:
    if network.package:
        raise InputError(f"{network.file} comes with the package {network.package}", remedy=weights.remedy(network))
    return weights.search_folders(folder, network)[0] / network.file


def _fetched(network: Network, path: Path, url: str | None) -> str:
    source = url or network.source
    if not source:
        raise InputError(f"{network.file} has no address of its own: {network.hint}", remedy="or give --url")

    def check(sha256: str) -> None:
        if not sha256.startswith(network.sha256_prefix):
            raise UnavailableError(f"{source} is {weights.mismatch(network, sha256)}", remedy="nothing of it was kept")

    return fetch(source, path, check)


def _record(network: Network, path: Path | None) -> dict[str, Any]:
    return {
        "path": str(path) if path else None,
        "needed_for": network.needed_for,
        "licence": network.licence,
        "source": network.source or None,
        "sha256_published": network.sha256_prefix or None,
    }


def main() -> int:
    """Run the command."""
    return command.run(Options, work, "weights")


if __name__ == "__main__":
    raise SystemExit(main())

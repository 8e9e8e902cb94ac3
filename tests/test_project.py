"""What holds the project together: its lists of dependencies, its names, and that it installs in both ways."""

from __future__ import annotations

import importlib.metadata
import json
import re
import subprocess
import sys
import sysconfig
import tomllib
from pathlib import Path

import numpy as np
import played
import pytest
import yaml
from made_results import drawn

from singinghead.metrics.result_file import write_result

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]


def normalized(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    return {normalized(name): version for name, _, version in (line.partition("==") for line in lines if "==" in line)}


def declared() -> list[str]:
    extras = PROJECT["optional-dependencies"].values()
    return [*PROJECT["dependencies"], *(requirement for extra in extras for requirement in extra)]


@pytest.mark.parametrize("requirement", declared())
def test_every_declared_dependency_is_pinned(requirement: str) -> None:
    assert normalized(re.split(r"[<>=!~\[; ]", requirement)[0]) in pins()


def test_what_is_installed_is_what_is_pinned() -> None:
    wanted, seen = ["singinghead"], set()
    while wanted:  # everything that singinghead draws in, of what is installed here
        name = wanted.pop()
        if normalized(name) in seen:
            continue
        seen.add(normalized(name))
        try:
            distribution = importlib.metadata.distribution(name)
        except importlib.metadata.PackageNotFoundError:
            continue
        if normalized(name) != "singinghead":
            assert pins().get(normalized(name)) == distribution.version.split("+")[0], name
        wanted += [
            re.split(r"[<>=!~\[;( ]", needed)[0] for needed in distribution.requires or () if "extra ==" not in needed
        ]
    assert len(seen) > 30


def test_the_fixed_pins_are_the_agreed_ones() -> None:
    agreed = {"torch": "2.14.1", "torchvision": "0.29.1", "pyopengl": "3.1.10", "librosa": "0.11.0"}
    assert {name: pins()[name] for name in agreed} == agreed


def test_conda_installs_this_project_with_its_pins_on_its_python() -> None:
    environment = yaml.safe_load((ROOT / "environment.yml").read_text())
    *packages, last = environment["dependencies"]
    assert environment["channels"] == ["conda-forge"]
    assert last == {"pip": ["-c constraints.txt", "-e ."]}
    assert packages == ["python=3.11", "pip"]
    assert PROJECT["requires-python"] == ">=3.11,<3.12"


def test_no_script_bears_the_name_of_a_library_module() -> None:
    """A script's folder comes first on sys.path, so its neighbours would hide modules of their name."""
    installed = set(importlib.metadata.packages_distributions())
    for folder in ("tools", "metrics", "benchmarks"):
        for path in (ROOT / folder).glob("*.py"):
            assert path.stem == "__init__" or path.stem not in sys.stdlib_module_names | installed, path


def test_every_package_is_installed() -> None:
    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["setuptools"]
    tops = ("flame_model", "render", "metrics", "tools")
    found = {path.parent.relative_to(ROOT) for top in tops for path in (ROOT / top).rglob("__init__.py")}
    assert {Path(folder) for folder in listed["package-dir"].values()} == found
    assert set(listed["packages"]) == set(listed["package-dir"])


def test_console_scripts_point_at_functions_that_exist() -> None:
    for target in PROJECT["scripts"].values():
        module, _, function = target.partition(":")
        path = ROOT / module.removeprefix("singinghead.").replace(".", "/")
        assert f"def {function}(" in path.with_suffix(".py").read_text()


@pytest.fixture(scope="module")
def wheel_environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new environment with our wheel in it, which borrows the heavy packages, but not our checkout, from this one."""
    folder = tmp_path_factory.mktemp("wheel")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    subprocess.run([*pip, "wheel", "--no-deps", "-w", str(folder), str(ROOT)], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(folder / "venv")], check=True)
    (wheel,) = folder.glob("*.whl")
    python = folder / "venv" / "bin" / "python"
    subprocess.run([str(python), *pip[1:], "install", "--no-deps", str(wheel)], check=True)
    (site,) = (folder / "venv" / "lib").glob("python*/site-packages")
    (site / "borrowed.pth").write_text(sysconfig.get_path("purelib") + "\n")
    return folder / "venv"


def installed_commands(name: str, request: pytest.FixtureRequest) -> Path:
    return request.getfixturevalue("wheel_environment") / "bin" if name == "wheel" else Path(sys.executable).parent


@pytest.mark.parametrize("install", ["wheel", "editable"])
def test_a_report_finds_its_page(install: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    write_result(drawn("ours", 1, 1, 2), tmp_path / "ours.json")
    program = installed_commands(install, request) / "singinghead-tabulate"
    subprocess.run([program, "ours.json", "--out", "."], capture_output=True, check=True, cwd=tmp_path)
    page = (tmp_path / "report.html").read_text()
    assert "<svg" in page
    assert "--series-1" in page


@pytest.mark.parametrize("install", ["wheel", "editable"])
def test_the_player_finds_its_page(install: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    played.needs_page()
    ask = "from singinghead.render.player.template import read_template; print(len(read_template()))"
    python = installed_commands(install, request) / "python"
    found = subprocess.run([python, "-c", ask], capture_output=True, text=True, check=True, cwd=tmp_path)
    assert int(found.stdout) > 300_000


@pytest.mark.parametrize("install", ["wheel", "editable"])
def test_the_command_helps_and_renders(install: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    commands = installed_commands(install, request)
    place = subprocess.run(
        [commands / "python", "-c", "import singinghead.render as r; print(*r.__path__)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    ).stdout.strip()
    assert (Path(place) == ROOT / "render") == (install == "editable")

    shown = subprocess.run([commands / "singinghead-render", "--help"], capture_output=True, text=True, check=True)
    assert "--data-root" in shown.stdout

    np.save(tmp_path / "still.npy", np.zeros((3, 59), np.float32))
    done = subprocess.run(
        [commands / "singinghead-render", "still.npy", "--size", "64", "--no-audio", "--json"],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
    )
    record = json.loads(done.stdout.splitlines()[-1])
    assert record["frames"] == 3
    assert (tmp_path / "still.mp4").stat().st_size > 500

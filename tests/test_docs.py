"""The recipes in docs/ do what they say."""

from __future__ import annotations

import re
from pathlib import Path

import dask

DOCS = Path(__file__).parents[1] / "docs"


def test_the_slurm_recipe_makes_the_job_script_that_it_shows(tmp_path: Path) -> None:
    text = (DOCS / "clusters.md").read_text()
    recipe, shown = re.findall(r"```(?:python|sh)\n(.*?)```", text, re.DOTALL)[:2]
    made = {}
    with dask.config.set({"temporary-directory": str(tmp_path)}):
        exec(recipe.split("cluster.scale")[0], made)
    cluster = made["cluster"]
    try:
        address = cluster.scheduler_address
        assert cluster.job_script().strip().replace(address, "SCHEDULER") == shown.strip()
        assert re.fullmatch(r"tcp://[\d.]+:\d+", address)
    finally:
        cluster.close()
    rest = recipe.split("cluster.scale")[1]
    assert '"singinghead-render-split", *sys.argv[1:], "--dask", cluster.scheduler_address' in rest

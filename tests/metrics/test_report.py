"""The report stands alone, is well formed whatever the names, and every picture has words."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from made_results import ERROR, METRICS, drawn, result

from singinghead.flame_model.errors import InputError
from singinghead.metrics.comparison import compare
from singinghead.metrics.figures import by_subject, distribution, looks
from singinghead.metrics.page import page
from singinghead.metrics.report import write_all
from singinghead.metrics.result_file import read_result
from singinghead.metrics.results import MethodResult, Pooled
from singinghead.metrics.summary import summarize

ODD = ["a_b & <b>50%<b>", "我們 {ü} ~^$", "\"quoted' =1+1", "x" * 60]
VOID = {"meta", "br", "link", "img", "hr", "input"}


class Tree(HTMLParser):
    """Tags must close in order; all starts and all text are kept."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.starts: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.starts.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def all(self, tag: str) -> Iterator[dict[str, str | None]]:
        return (attributes for name, attributes in self.starts if name == tag)


def odd_results() -> list[MethodResult]:
    one, two, three, four = (drawn(name, index, 7, 2, level=1 + index / 5) for index, name in enumerate(ODD))
    lost = two.sequences[0]
    two = replace(two, sequences=two.sequences[1:], failures={lost.id: "<script>alert(1)</script>"}, notes=("</style>",))
    nulls = tuple(
        replace(record, metrics={**record.metrics, "lag_ms": None}, reasons={"lag_ms": "a <still> face"})
        for record in three.sequences
    )
    three = replace(three, sequences=nulls)
    pooled = replace(ERROR, name="fid", meaning="needs <weights>")
    own = {"fid": Pooled(None, (), "weights are missing")}
    one = replace(one, definitions=(*one.definitions, pooled), pooled=own, settings={"gt": "</td>", "n": [1]})
    return [one, two, three, replace(four, role="ground truth")]


@pytest.fixture(scope="module")
def odd() -> Tree:
    return Tree(page(summarize(compare(odd_results())), {"id1_0_0": {"video": "videos/id1_0_0.mp4"}}))


def test_names_and_reasons_are_text_and_nothing_else(odd: Tree) -> None:
    for name in [*ODD, "<script>alert(1)</script>", "a <still> face", "needs <weights>", "weights are missing"]:
        assert name in odd.text
    assert {tag for tag, _ in odd.starts}.isdisjoint({"script", "b", "still", "weights", "img", "link", "iframe"})
    assert "None" not in odd.text


def test_nothing_is_fetched_from_anywhere(odd: Tree) -> None:
    policies = [attributes["content"] for attributes in odd.all("meta") if "http-equiv" in attributes]
    assert policies == ["default-src 'none'; style-src 'unsafe-inline'"]
    targets = [
        value for _, attributes in odd.starts for key, value in attributes.items() if key in ("href", "src", "xlink:href")
    ]
    assert all(target and target.startswith(("#", "videos/")) for target in targets)
    assert not any(
        value and "http" in value for tag, attributes in odd.starts if tag != "meta" for value in attributes.values()
    )
    assert "@import" not in odd.text
    assert not re.search(r"url\((?!#)", odd.text)


def test_links_inside_the_page_lead_somewhere_and_no_id_is_twice(odd: Tree) -> None:
    ids = [attributes["id"] for _, attributes in odd.starts if "id" in attributes]
    assert len(ids) == len(set(ids))
    wanted = {attributes["href"] for _, attributes in odd.starts if (attributes.get("href") or "").startswith("#")}
    assert {f"#{name}" for name in ids} >= wanted
    clipped = {
        value[5:-1]
        for _, attributes in odd.starts
        for key, value in attributes.items()
        if key == "clip-path" and value and value.startswith("url(#")
    }
    assert clipped
    assert set(ids) >= clipped


def test_every_picture_has_words_and_every_table_headings(odd: Tree) -> None:
    pictures = list(odd.all("svg"))
    assert len(pictures) >= 2 * len(METRICS)
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in pictures)
    assert any(ODD[1] in (picture["aria-label"] or "") for picture in pictures)
    assert all(heading.get("scope") in ("col", "row") for heading in odd.all("th"))


def test_colours_are_the_pages_own(odd: Tree) -> None:
    styles = " ".join(attributes.get("style") or "" for tag, attributes in odd.starts if tag not in ("span", "li"))
    assert "var(--series-1)" in styles
    assert "currentColor" in styles
    assert not re.search(r"#[0-9a-fA-F]{6}", styles), "a colour that dark paper would swallow"


def test_a_clip_with_a_video_links_to_it(odd: Tree) -> None:
    links = [attributes["href"] for attributes in odd.all("a")]
    assert "videos/id1_0_0.mp4" in links
    without = Tree(page(summarize(compare(odd_results()))))
    assert all((attributes["href"] or "").startswith("#") for attributes in without.all("a"))


def test_looks_differ_between_a_dozen_methods() -> None:
    rows = [drawn(f"m{index}", index, 1, 1) for index in range(12)]
    rows += [drawn("truth", 1, 1, 1, role="ground truth"), drawn("still", 1, 1, 1, role="baseline")]
    found = looks(rows)
    assert len({(look.colour, look.glyph) for look in found.values()}) == 14
    assert found["truth"].colour == "currentColor"


def test_one_clip_of_one_method_makes_a_page() -> None:
    tree = Tree(page(summarize(compare([drawn("only", 1, 1, 1)]))))
    assert "No intervals: they need 5 subjects, here are 1." in tree.text
    assert "nothing to test it against" in tree.text
    assert "its only sequence" in tree.text


def test_nothing_in_common_makes_a_page() -> None:
    tree = Tree(page(summarize(compare([result("a", {"id0_0": 1.0}), result("b", {"id1_0": 1.0})]))))
    assert "no sequence is valid for every method" in tree.text
    assert list(tree.all("svg")) == []


def test_long_curves_are_thinned_and_keep_their_peak() -> None:
    made = drawn("long", 1, 1, 1)
    heights = [1.0] * 20_000
    heights[12_345] = 99.0
    record = replace(made.sequences[0], curves={"lip_error_mm": tuple(heights)})
    text = page(summarize(compare([replace(made, sequences=(record,))])))
    assert "largest 99" in text
    assert len(text) < 200_000


def test_a_dozen_methods_stay_a_modest_file() -> None:
    rows = [drawn(f"method {index}", index, 20, 3, level=1 + index / 10) for index in range(12)]
    assert len(page(summarize(compare(rows))).encode()) < 1_500_000


def test_the_same_results_make_the_same_page() -> None:
    first, second = (page(summarize(compare([drawn("a", 1), drawn("b", 2)]))) for _ in range(2))
    assert first == second


def test_all_that_is_promised_is_written(tmp_path: Path) -> None:
    results = odd_results()
    summary = write_all(results, tmp_path / "new" / "out")
    tables = {"summary.md", "summary.csv", "summary.tex", "per_sequence.csv", "pairwise.csv", "report.html"}
    names = {path.name for path in (tmp_path / "new" / "out").iterdir()}
    assert names == tables | {f"{row.method}.json" for row in results}
    again = compare([read_result(tmp_path / "new" / "out" / f"{row.method}.json") for row in results])
    for before, after in zip(summary.rows, again.results, strict=True):
        for column in summary.columns:
            assert again.value(after, column.metric.name) == column.cells[before.method].value


def test_a_folder_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(InputError, match="cannot be written"):
        write_all([drawn("a", 1, 1, 1)], tmp_path / "out")


def test_axes_of_small_numbers_show_all_their_digits() -> None:
    rows = [result(name, {f"id{k}_0": 0.01 + (k + start) / 500 for k in range(3)}) for start, name in enumerate("ab")]
    summary = summarize(compare(rows))
    for drawing in (distribution, by_subject):
        labels = list(re.findall(r">(0\.\d+)</text>", drawing(summary, summary.columns[0])))
        numbers = [float(label) for label in labels]
        assert len(numbers) >= 3
        steps = [b - a for a, b in itertools.pairwise(numbers)]
        assert steps == pytest.approx([steps[0]] * len(steps))
        assert steps[0] > 0

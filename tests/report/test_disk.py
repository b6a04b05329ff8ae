from __future__ import annotations

from pathlib import Path

import pytest

from avsieve.report.disk import FOLDERS, read_disk, size_in_words
from avsieve.storage import paths as P


def put(path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size))


def test_the_files_of_each_stage_are_added_up(tmp_path: Path) -> None:
    for shard in ("000", "001"):
        put(P.below(tmp_path, P.align.faces, shard=shard), 100)
        put(P.below(tmp_path, P.align.status, shard=shard), 10)
    put(P.below(tmp_path, P.models.fusion, list="all", model="gated", seed=0), 7)
    put(P.below(tmp_path, P.evaluation.results), 5)
    for beside in (P.evaluation.table, P.evaluation.text, P.audit.audit, P.log("clean_list"), P.report.page):
        put(P.below(tmp_path, beside), 1000)
    put(tmp_path / "align/002.faces.tar.partial", 1000)
    assert read_disk(tmp_path).to_numpy().tolist() == [["align", 4, 220], ["models/fusion", 1, 7], ["evaluation", 1, 5]]
    assert read_disk(tmp_path, shards=1).to_numpy().tolist()[0] == ["align", 2, 110]


def test_a_run_of_which_nothing_is_left_takes_nothing(tmp_path: Path) -> None:
    assert read_disk(tmp_path).columns.tolist() == ["folder", "files", "bytes"]
    assert read_disk(tmp_path).empty


def test_no_folder_is_counted_twice() -> None:
    assert len(set(FOLDERS)) == len(FOLDERS)
    assert not [(a, b) for a in FOLDERS for b in FOLDERS if a != b and b.startswith(f"{a}/")]


@pytest.mark.parametrize(
    ("size", "words"),
    [
        (0, "0 B"),
        (999, "999 B"),
        (1500, "1.5 kB"),
        (480_000, "480 kB"),
        (2_340_000_000, "2.3 GB"),
        (7 * 10**15, "7,000.0 TB"),
    ],
)
def test_bytes_are_told_in_a_unit_that_fits(size: int, words: str) -> None:
    assert size_in_words(size) == words

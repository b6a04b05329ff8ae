from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.anchors import find_anchors, write_anchors

# id3/v1/1 is gone, and with it two that were tested with nobody else; id5 keeps another trial.
ORIGINAL = [
    "1 id1/v1/1 id1/v2/1", "0 id1/v1/1 id2/v1/1", "1 id2/v1/1 id2/v2/1", "0 id2/v2/1 id1/v2/1",
    "1 id5/v1/1 id1/v1/1", "0 id5/v1/1 id2/v2/1", "1 id3/v1/1 id3/v2/1", "0 id3/v1/1 id1/v1/1",
    "0 id4/v1/1 id3/v1/1", "0 id3/v1/1 id1/v1/1",
]  # fmt: skip
CLEANED = [line for line in ORIGINAL if "id3" not in line and not line.startswith("1 id5")]


def listed(path: Path, lines: list[str], ending: str = ".wav", before: str = "") -> Path:
    fields = [line.split() for line in lines]
    path.write_text("".join(f"{y} {before}{a}{ending} {before}{b}{ending}\n" for y, a, b in fields), "utf-8")
    return path


def test_what_only_a_removed_utterance_explains_is_confirmed_and_its_company_suspected(tmp_path: Path) -> None:
    found = find_anchors(listed(tmp_path / "o", ORIGINAL), listed(tmp_path / "c", CLEANED))
    # One line stands twice in the original.
    assert (found.original, found.cleaned, found.removed, found.removed_targets) == (9, 5, 4, 2)
    assert (found.explained, found.added) == (3, 0)
    assert [(a.utterance, a.status, a.trials, a.targets, a.only_here) for a in found.utterances] == [
        ("id3/v1/1", "confirmed", 3, 1, 1),
        ("id3/v2/1", "suspected", 1, 1, 0),
        ("id4/v1/1", "suspected", 1, 0, 0),
    ]
    write_anchors(tmp_path / "a.csv", found.utterances)
    table = pd.read_csv(tmp_path / "a.csv")
    assert table.columns.tolist() == ["utterance", "status", "trials", "targets", "only_here"]
    assert table["utterance"].tolist() == ["id3/v1/1", "id3/v2/1", "id4/v1/1"]


@pytest.mark.parametrize(("ending", "before"), [("", ""), (".m4a", "./"), (".wav", "vox1/test/wav/"), ("", "/data/x/")])
def test_lists_may_name_their_files_in_different_ways(tmp_path: Path, ending: str, before: str) -> None:
    plain = find_anchors(listed(tmp_path / "o", ORIGINAL), listed(tmp_path / "c", CLEANED))
    assert find_anchors(tmp_path / "o", listed(tmp_path / "d", CLEANED, ending, before)) == plain


def test_lists_that_are_not_two_versions_of_one_are_refused(tmp_path: Path) -> None:
    original, cleaned = listed(tmp_path / "o", ORIGINAL), listed(tmp_path / "c", CLEANED)
    with pytest.raises(AvsieveError, match=r"has all 9 trials of .*: nothing was removed; name two versions"):
        find_anchors(original, original)
    with pytest.raises(AvsieveError, match="and 4 more; expected fewer: exchange --original and --cleaned"):
        find_anchors(cleaned, original)
    renamed = listed(tmp_path / "r", [line.replace("id", "spk") for line in CLEANED])
    with pytest.raises(AvsieveError, match=r"5 of 5 trials .*first: spk1/v1/1 spk.*have the ids other names"):
        find_anchors(original, renamed)
    turned = listed(tmp_path / "t", [f"{1 - int(line[0])}{line[1:]}" for line in CLEANED])
    with pytest.raises(AvsieveError, match="with the other label: are 1 and 0 exchanged"):
        find_anchors(original, turned)
    thinned = listed(tmp_path / "n", ORIGINAL[:4] + ORIGINAL[5:])
    with pytest.raises(AvsieveError, match="every utterance still has others: trials were removed, not utterances"):
        find_anchors(original, thinned)

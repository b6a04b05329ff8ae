from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.inspection.changes import compare_sides, write_changed
from avsieve.inspection.changes_text import change_lines
from avsieve.inspection.run_files import find_run
from avsieve.inspection.sides import side_of_flags, side_of_run
from avsieve.storage.tables import write_table


@pytest.fixture
def edited(copied: Path, table: pd.DataFrame) -> tuple[Path, dict[str, str]]:
    """Return another run, and which utterances differ how: one each is newly flagged, newly kept, of another kind."""
    flagged, clean = table[table["decision"] == "noisy"], table[table["decision"] == "clean"]
    videos = flagged[(flagged["kind"] == "video") & flagged["suggested_speaker"].notna()]["utterance"].tolist()
    which = {"flagged": clean["utterance"].iloc[0], "kind": videos[0], "suggested": videos[1], "kept": videos[2]}
    other = table.set_index("utterance")
    other.loc[which["flagged"], ["decision", "kind", "reason", "p_wrong"]] = ["noisy", "audio", "wrong_audio", 0.75]
    other.loc[which["kept"], ["decision", "kind", "reason", "suggested_speaker"]] = ["clean", "", "ok", None]
    other.loc[which["kind"], "kind"] = "visual"
    other.loc[which["suggested"], "suggested_speaker"] = None
    run = find_run(copied)
    write_table(run.decisions, other.reset_index().iloc[::-1])  # in another order
    summary = json.loads(run.summary.read_text())
    summary["settings"]["threshold"] = 0.7
    run.summary.write_text(json.dumps(summary))
    return copied, which


def test_what_changed_between_two_runs_is_counted(made: Path, edited: tuple[Path, dict[str, str]]) -> None:
    other, which = edited
    found, rows = compare_sides(side_of_run(made), side_of_run(other))
    assert (found.newly_flagged, found.newly_kept, found.kind_changed, found.suggestion_changed) == (1, 1, 1, 1)
    assert (found.changed, found.only_first, found.only_second) == (4, 0, 0)
    assert found.transitions == {"clean -> noisy": 1, "noisy -> clean": 1, "kind video -> visual": 1}
    assert found.settings == {"threshold": [0.5, 0.7]}
    assert sum(s.newly_flagged for s in found.speakers) == 1
    assert {s.speaker for s in found.speakers} == {name.split("/")[0] for name in which.values()}
    row = rows.to_pandas().set_index("utterance").loc[which["flagged"]]
    assert (row["before"], row["after"], row["kind_after"], row["p_after"]) == ("clean", "noisy", "audio", 0.75)
    assert set(rows["utterance"].to_pylist()) == set(which.values())
    json.dumps(found.as_json(), allow_nan=False)
    assert "  threshold: 0.5 -> 0.7" in change_lines(found)


def test_the_changed_utterances_are_written_as_a_plain_table(
    made: Path, edited: tuple[Path, dict[str, str]], tmp_path: Path
) -> None:
    _, rows = compare_sides(side_of_run(made), side_of_run(edited[0]))
    write_changed(tmp_path / "changed.csv", rows)
    lines = (tmp_path / "changed.csv").read_text().splitlines()
    head = "utterance,before,after,kind_before,kind_after,suggested_before,suggested_after,p_before,p_after"
    assert lines[0] == head
    assert len(lines) == 5
    assert '"' not in "".join(lines)


def test_a_run_compared_with_itself_has_not_changed(made: Path) -> None:
    found, rows = compare_sides(side_of_run(made), side_of_run(made))
    assert (found.changed, len(rows), found.transitions, found.speakers) == (0, 0, {}, [])


def test_utterances_of_one_side_alone_are_counted_and_warned_of() -> None:
    first = side_of_flags(Path("a"), ["a/v/0", "a/v/1", "a/v/2"], np.array([True, True, False]))
    second = side_of_flags(Path("b"), ["a/v/9", "a/v/2", "a/v/1"], np.array([True, True, False]))
    found, _ = compare_sides(first, second)
    assert (found.utterances, found.only_first, found.only_second) == (2, 1, 1)
    assert found.transitions == {"kept -> left_out": 1, "left_out -> kept": 1}
    assert "WARNING: only 66.7 % of the smaller one is in the other" in "\n".join(change_lines(found))


def test_two_corpora_are_told(made: Path) -> None:
    strange = side_of_flags(Path("b"), ["x/y/z"], np.array([True]))
    with pytest.raises(AvsieveError, match=r"no utterance is in both .* \(first: .*; second: x/y/z\)"):
        compare_sides(side_of_run(made, as_flags=True), strange)

from __future__ import annotations

import json
from pathlib import Path

import pandas as pd

from avsieve.inspection.overview import overview
from avsieve.inspection.run_files import RunFiles, find_run


def test_the_overview_counts_what_the_decisions_hold(run: RunFiles, table: pd.DataFrame) -> None:
    found = overview(run)
    flagged = table[table["decision"] == "noisy"]
    assert len(flagged) > 10
    assert found.utterances == len(table)
    assert found.speakers == table["speaker"].nunique()
    assert found.videos == table["utterance"].str.rsplit("/", n=1).str[0].nunique()
    assert found.decisions == {d: int((table["decision"] == d).sum()) for d in ("clean", "noisy", "incomplete")}
    assert found.kinds == {k: int((flagged["kind"] == k).sum()) for k in ("video", "audio", "visual")}
    assert found.modalities["audio"] == found.kinds["video"] + found.kinds["audio"]
    assert found.suggested == int(flagged["suggested_speaker"].notna().sum())
    assert found.settings["policy"] == "either"
    assert [f.code for f in found.failures] == ["no_face"]


def test_json_of_the_overview_has_the_documented_keys(run: RunFiles, repository: Path) -> None:
    found = json.loads(json.dumps(overview(run, top=3).as_json(), allow_nan=False))
    assert found["format"] == "avsieve.inspect/1"
    assert len(found["worst_speakers"]) == 3
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    assert [key for key in [*found, *found["worst_speakers"][0]] if f"`{key}`" not in text] == []


def test_the_next_steps_fit_what_the_run_has(run: RunFiles, flat: Path) -> None:
    of_workflow, of_folder = overview(run).next, overview(find_run(flat)).next
    assert any("--sheet worst.jpg" in step for step in of_workflow)
    assert not any("--sheet" in step for step in of_folder)
    assert any(step.startswith("avsieve audit") and "--audio FILE" in step for step in of_folder)
    assert any("failures of align (no_face)" in step for step in of_workflow)


def test_speakers_that_are_left_with_few_utterances_are_warned_of(run: RunFiles, table: pd.DataFrame) -> None:
    (note,) = [note for note in overview(run, least_left=12).notes if "left with fewer" in note.text]
    by_speaker = table.groupby("speaker")["decision"].value_counts().unstack(fill_value=0)
    few = by_speaker[(by_speaker["noisy"] > 0) & (by_speaker["clean"] < 12)]
    assert note.text.startswith(f"{len(few)} speakers are left with fewer than 12 clean utterances")
    lowest = few["clean"].min()
    assert note.about[0].endswith(f"({lowest})")

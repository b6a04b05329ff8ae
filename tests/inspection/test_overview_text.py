from __future__ import annotations

from pathlib import Path

import pandas as pd

from avsieve.inspection.decided import Decided, read_decided
from avsieve.inspection.details import speaker_facts, video_facts
from avsieve.inspection.list_facts import list_facts
from avsieve.inspection.overview import overview
from avsieve.inspection.overview_text import list_lines, overview_lines, speaker_lines, video_lines
from avsieve.inspection.run_files import RunFiles, find_run
from avsieve.storage.tables import write_table


def test_an_overview_has_a_line_for_each_fact(run: RunFiles, table: pd.DataFrame) -> None:
    lines = overview_lines(overview(run, top=2))
    of = {line[:20].strip(): line[20:].split() for line in lines if line and not line.startswith(" ")}
    assert of["utterances"] == [f"{len(table):,}"]
    assert of["noisy"][0] == str((table["decision"] == "noisy").sum())
    titles = [line for line in lines if line.endswith(":")]
    assert titles[:3] == ["reasons:", "failures:", "how good the flags are:"]
    assert sum(line.startswith("  align  no_face") for line in lines) == 1


def test_speakers_videos_and_lists_are_told_in_aligned_lines(made: Path, decided: Decided) -> None:
    name = decided.speaker.names[0]
    video = decided.video.names[0]
    for lines in (speaker_lines(speaker_facts(decided, name)), video_lines(video_facts(decided, video))):
        assert lines[0].split()[1] in (name, video)
        assert all(line == line.rstrip() for line in lines)
    assert list_lines(list_facts(made / "results" / "lists" / "train_all.txt"))[1].split() == ["layout", "train"]


def test_a_run_of_nobody_is_no_crash(copied: Path, table: pd.DataFrame) -> None:
    run = find_run(copied)
    write_table(run.decisions, table.head(0))
    assert len(read_decided(run.decisions)) == 0
    assert next(line for line in overview_lines(overview(run)) if line.startswith("utterances")).split()[1] == "0"

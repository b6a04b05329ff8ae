"""What the commands print as JSON is described, key by key."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from avsieve.inspection.changes import compare_sides
from avsieve.inspection.decided import Decided
from avsieve.inspection.details import speaker_facts, video_facts
from avsieve.inspection.list_facts import list_facts
from avsieve.inspection.progress import progress_of
from avsieve.inspection.run_files import RunFiles
from avsieve.inspection.sides import side_of_run
from avsieve.inspection.utterance import utterance_facts
from avsieve.inspection.worst import worst_of

# Their keys are values: settings, measures of stages, names of speakers, kinds.
FREE = {"settings", "kinds", "suggested", "claimed", "transitions"}


def keys_of(value: Any) -> Iterator[str]:
    """Yield the keys of objects, at any depth."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield key
            if key not in FREE and not (key == "measures" and isinstance(inner, dict)):
                yield from keys_of(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys_of(inner)


@pytest.fixture(scope="module")
def described(repository: Path) -> set[str]:
    text = (repository / "docs" / "formats.md").read_text(encoding="utf-8")
    part = text.partition("## What the commands print as JSON")[2].partition("\n## ")[0]
    return set(re.findall(r"`(\w+)`", part))


def test_every_key_is_described(made: Path, run: RunFiles, decided: Decided, described: set[str]) -> None:
    flagged = worst_of(decided, "utterance", 1000)
    objects = [
        utterance_facts(run, next(c.utterance for c in flagged.clips if c.suggested_speaker)),
        flagged,
        worst_of(decided, "video", 2),
        speaker_facts(decided, str(decided.speaker.names[0])),
        video_facts(decided, str(decided.video.names[0])),
        list_facts(made / "results" / "lists" / "train_all_clean.txt"),
        progress_of(made),
        compare_sides(side_of_run(made), side_of_run(made))[0],
    ]
    missing = {key for item in objects for key in keys_of(item.as_json())} - described
    assert missing == set()

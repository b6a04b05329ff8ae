from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from avsieve.config.model import Config, parse_config
from avsieve.doctor import damage as module
from avsieve.doctor.damage import LEAST, check_damage, opened
from avsieve.sources.findings import Finding

LOUD = [{"name": "loud", "kind": "noise", "snr_db": 0}]
ROOM = [{"name": "room", "kind": "reverberation"}]


def wired(conditions: Any = LOUD, source: dict[str, Any] | None = None, **damage: Any) -> Config:
    values = {"evaluation": {"damage": {"conditions": conditions, **damage}}}
    return parse_config(values if source is None else values | {"source": source})


def recordings(folder: Path, count: int, seconds: float = 0.5, rate: int = 16_000) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for i in range(count):
        soundfile.write(folder / f"{rate}-{i:02d}.wav", np.zeros(round(seconds * rate)), rate)
    return str(folder)


def told(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(found.level, found.text) for found in findings]


def test_recordings_are_counted_with_their_length(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "a" / "deep", LEAST)
    (found,) = check_damage(wired(noise=str(tmp_path / "a")))
    assert (found.level, found.subject) == ("ok", "evaluation.damage.noise")
    assert found.text == f"{tmp_path / 'a'}: 30 recordings, 15 s, 16000 Hz"
    (found,) = check_damage(wired(ROOM, rooms=folder))
    assert (found.level, found.subject) == ("ok", "evaluation.damage.rooms")


def test_nothing_is_said_where_no_folder_is_named() -> None:
    assert check_damage(wired()) == []
    assert check_damage(wired([])) == []


def test_a_folder_that_is_missing_or_empty_would_stop_the_run(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "note.txt").write_text("no sound")
    (tmp_path / "file").write_text("")
    found = check_damage(wired(noise=[str(tmp_path / name) for name in ("nowhere", "empty", "file")]))
    assert told(found) == [
        ("error", f"{tmp_path}/nowhere: no such folder"),
        ("error", f"{tmp_path}/empty: no recording there; expected files that end with .flac, .mp3, .ogg, .opus, .wav"),
        ("error", f"{tmp_path}/file: a file; expected a folder"),
    ]
    assert all(finding.remedy for finding in found)


def test_what_no_condition_draws_from_stops_nothing_unless_it_is_not_there(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "a", 1, rate=8_000)
    wrong, note = check_damage(wired(rooms=folder))
    assert (wrong.level, note.level) == ("warning", "note")
    assert "no condition of signals has the kind reverberation" in note.text
    named = [{"name": "white", "kind": "noise", "sound": "white"}]
    assert "of signals has the kind noise with the sound recording" in check_damage(wired(named, noise=folder))[-1].text
    # Every job that damages a shard opens the folders that are named.
    assert check_damage(wired(rooms=str(tmp_path / "nowhere")))[0].level == "error"
    # Without signals there are no such jobs.
    assert check_damage(wired(rooms=str(tmp_path / "nowhere"), level="embedding"))[0].level == "warning"


def test_sounds_that_cannot_be_used_are_named(tmp_path: Path) -> None:
    folder = recordings(tmp_path / "a", LEAST)
    recordings(tmp_path / "a", 2, rate=44_100)
    (tmp_path / "a" / "z.wav").write_bytes(b"no sound")
    unreadable, rate = check_damage(wired(noise=folder))
    assert (unreadable.level, rate.level) == ("error", "error")
    assert f"1 of 33 recordings cannot be read, as {folder}/z.wav (" in unreadable.text
    assert rate.text == f"{folder}: 2 at 44100 Hz, as {folder}/44100-00.wav; expected 16000 Hz"
    assert rate.remedy == "convert the folder first"


def test_few_recordings_are_warned_of_all_folders_together(tmp_path: Path) -> None:
    few = [recordings(tmp_path / name, 2, 0.1) for name in "ab"]
    *_, found = check_damage(wired(noise=few))
    assert (found.level, found.remedy) == ("warning", "add recordings")
    assert found.text.startswith("4 recordings in all; expected 30 or more: error rates of these conditions tell of so")
    *_, found = check_damage(wired(ROOM, rooms=few[0]))
    assert "tell of so few rooms" in found.text


def test_voices_of_the_corpus_are_no_noise(tmp_path: Path) -> None:
    recordings(tmp_path / "corpus" / "id1" / "v1", LEAST)
    source = {"kind": "tree", "tree": {"root": str(tmp_path / "corpus")}}
    *_, found = check_damage(wired(source=source, noise=str(tmp_path / "corpus" / "id1")))
    assert found.level == "warning"
    assert "30 of 30 recordings are of the corpus" in found.text
    # A copy elsewhere is told by its name.
    copy = recordings(tmp_path / "copy" / "id1" / "v1", LEAST)
    asked: list[str] = []

    def is_there(utterance: str) -> bool:
        asked.append(utterance)
        return utterance == "id1/v1/16000-07"

    *_, found = check_damage(wired(source=source, noise=str(tmp_path / "copy")), is_there)
    assert f"1 of 30 recordings are of the corpus, as {copy}/16000-07.wav" in found.text
    assert len(asked) == LEAST
    assert all(level == "ok" for level, _ in told(check_damage(wired(source=source, noise=copy))))


def test_of_many_recordings_some_are_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = recordings(tmp_path, 40)
    monkeypatch.setattr(module, "MOST_OPENED", 10)
    found = opened(sorted(tmp_path.iterdir()))
    assert (found.files, found.opened, found.seconds, found.length) == (40, 10, 5.0, "about 20 s")
    assert told(check_damage(wired(noise=folder))) == [
        ("ok", f"{folder}: 40 recordings (10 opened), about 20 s, 16000 Hz")
    ]

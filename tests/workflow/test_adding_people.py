"""People who come, go or get another clip rerun their shards, and of the others nothing before the scores."""

from __future__ import annotations

import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from avsieve.storage.ids import shard_of

from .conftest import answer

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("reruns")]

SHARDS = 3
KNOWN = ["id1/v/1", "id4/v/1", "id5/v/1"]
# What happens -> the utterances then, and whose shard it concerns.
CHANGES = {
    "added": ([*KNOWN, "id7/v/1"], "id7"),
    "further": ([KNOWN[0], "id1/v/2", *KNOWN[1:]], "id1"),
    "removed": (KNOWN[:-1], "id5"),
}
PER_SHARD = {"fetch_media", "extract_media", "align_faces", "embed_audio", "embed_visual"}
# What looks at all people together.
MERGES = {"pool_speakers", "merge_scores", "list_utterances", "clean_list", "make_trials", "evaluate_fusion"}


def named(folder: str, endings: Iterable[str]) -> dict[str, dict[str, str]]:
    """Return the files that each change moves, in a folder that has a file of each utterance."""
    moves: dict[str, dict[str, str]] = {}
    now = set(KNOWN)
    for name, (wanted, _) in CHANGES.items():
        moves[name] = {}
        for ending in endings:
            away = {f"{folder}/{u}{ending}": f"away/{folder}/{u}{ending}" for u in now - set(wanted)}
            come = {f"away/{folder}/{u}{ending}": f"{folder}/{u}{ending}" for u in set(wanted) - now}
            moves[name] |= away | come
        now = set(wanted)
    return moves


def make_files(root: Path, folder: str, ending: str) -> None:
    """Make what `named` moves: empty files, since a plan reads names."""
    everyone = {u for wanted, _ in CHANGES.values() for u in wanted}
    for utterance in everyone:
        path = root / ("" if utterance in KNOWN else "away") / folder / f"{utterance}{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"")


def texts(name: str, head: str, line: str) -> dict[str, Any]:
    """Return a question whose source is a text with a line for each utterance."""

    def text(utterances: list[str]) -> str:
        return head + "".join(line.format(u=u, s=u.split("/")[0]) for u in utterances)

    return {
        "edits": {change: {name: text(u) for name in [name]} for change, (u, _) in CHANGES.items()},
        "first": text(KNOWN),
    }


def listed(root: Path) -> dict[str, Any]:
    (root / "clips").mkdir()
    told = texts("list.txt", "", "{s} {u}.wav 3.0\n")
    (root / "list.txt").write_text(told.pop("first"))
    return told | {"source": {"kind": "tree", "tree": {"root": "clips", "train_list": "list.txt"}}}


def tree(root: Path) -> dict[str, Any]:
    make_files(root, "clips", ".mp4")
    return {"moves": named("clips", [".mp4"]), "source": {"kind": "tree", "tree": {"root": "clips"}}}


def voxceleb(root: Path) -> dict[str, Any]:
    make_files(root, "tracks", ".txt")
    return {"moves": named("tracks", [".txt"]), "source": {"kind": "voxceleb", "voxceleb": {"tracks": "tracks"}}}


def frames(root: Path) -> dict[str, Any]:
    (root / "faces").mkdir()
    make_files(root, "wavs", ".wav")
    source = {"kind": "frames", "frames": {"faces": "faces", "wavs": "wavs"}}
    return {"moves": named("wavs", [".wav"]), "source": source}


def urls(root: Path) -> dict[str, Any]:
    told = texts("clips.csv", "utterance,url\n", "{u},https://example.org/{u}.mp4\n")
    (root / "clips.csv").write_text(told.pop("first"))
    return told | {"source": {"kind": "urls", "urls": {"table": "clips.csv"}}}


def archive(root: Path) -> dict[str, Any]:
    """Archives beside each other: who comes has one of their own."""
    (root / "packed").mkdir()
    (root / "away").mkdir()
    everyone = sorted({u for wanted, _ in CHANGES.values() for u in wanted})
    for utterance in everyone:
        where = root / ("packed" if utterance in KNOWN else "away") / f"{utterance.replace('/', '-')}.zip"
        with zipfile.ZipFile(where, "w") as packed:
            packed.writestr(f"{utterance}.mp4", b"a clip")
    moves: dict[str, dict[str, str]] = {}
    now = set(KNOWN)
    for name, (wanted, _) in CHANGES.items():
        changed = {(u, "packed", "away") for u in now - set(wanted)} | {
            (u, "away", "packed") for u in set(wanted) - now
        }
        moves[name] = {
            f"{old}/{u.replace('/', '-')}.zip": f"{new}/{u.replace('/', '-')}.zip" for u, old, new in changed
        }
        now = set(wanted)
    return {"moves": moves, "source": {"kind": "archive", "archive": {"video": ["packed/*.zip"]}}}


@pytest.mark.parametrize("make", [tree, listed, archive, urls, voxceleb, frames])
def test_people_rerun_their_own_shards_and_the_merges(
    make: Any, planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    question = make(tmp_path)
    base = {"source": question.pop("source"), "shards": SHARDS, "fusion": {"models": ["linear"]}}
    plans = {name: [base] for name in CHANGES}
    question |= {"folder": str(tmp_path), "targets": ["all"], "base": base, "plans": plans, "ahead": True, "jobs": True}
    found = answer(planner, question)
    assert not found["stopped"]
    assert found["again"].pop("") == []
    for name, (_, speaker) in CHANGES.items():
        shard = f"{shard_of(speaker, SHARDS):03d}"
        jobs = found["again"][name]
        again = {tuple(job.split()) for job in jobs if job.split()[0] in PER_SHARD}
        assert again == {(rule, shard) for rule in PER_SHARD}, name
        assert {"plan_shards", *MERGES} <= {job.split()[0] for job in jobs}, name


def test_a_setting_that_changes_at_the_same_time_is_seen_in_every_shard(
    planner: subprocess.Popen[str], tmp_path: Path
) -> None:
    """What is to run anyway hides no reason of its own of what follows it."""
    question = tree(tmp_path)
    base = {"source": question.pop("source"), "shards": SHARDS}
    other = base | {"media": {"interval_s": 0.2}}
    question |= {"moves": {"added": question["moves"]["added"]}, "plans": {"added": [other]}}
    question |= {"folder": str(tmp_path), "targets": ["embed"], "base": base, "ahead": True, "jobs": True}
    jobs = answer(planner, question)["again"]["added"]
    assert [job for job in jobs if job.startswith("fetch_media")] == ["fetch_media 000"]
    assert [job for job in jobs if job.startswith("extract_media")] == [f"extract_media 00{n}" for n in range(SHARDS)]

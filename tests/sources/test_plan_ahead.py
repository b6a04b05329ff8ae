"""What is planned ahead against what the rule's script writes, from folders and from lists of every encoding."""

from __future__ import annotations

import hashlib
import runpy
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from avsieve.errors import AvsieveError
from avsieve.lists.corpora import named
from avsieve.sources.plan_ahead import plan_ahead
from avsieve.sources.plan_note import read_plan_note
from avsieve.storage.ids import shard_names
from avsieve.storage.tables import read_table

SHARDS = 4
WORDS = ["tree", "--root", "clips", "--layout", "speaker/video/utterance"]
CLIPS = ["id1/v/1", "id2/v x/ä", "id2/v x/b", "Zoë/日本/1 (2)", "id10/v/1"]
LISTED = ["id1/v/1", "id2/v=20x/=C3=A4", "id2/v=20x/b.part", "id10/v/1", "Zo=C3=AB/v/1", "x=3D20/v/+@"]
ENCODED: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "with a mark": lambda text: text.encode("utf-8-sig"),
    "of Windows": lambda text: text.replace("\n", "\r\n").encode("utf-8-sig"),
    "in UTF-16": lambda text: text.encode("utf-16"),
    "aligned by blanks": lambda text: text.replace(" ", "   ").encode(),
}


@pytest.fixture
def clips(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for path in CLIPS:
        Path("clips", path).parent.mkdir(parents=True, exist_ok=True)
        Path("clips", f"{path}.mp4").touch()
    return tmp_path


def plan_shards(repository: Path, words: list[str], out: Path, patch: pytest.MonkeyPatch) -> dict[str, bytes]:
    """Run the script of the rule; return the tables that it writes."""
    script = repository / "workflow" / "scripts" / "plan_shards.py"
    options = f"--shards {SHARDS} --holdout 0 --holdout-seed 0 --out {out}/plan.parquet --shard-dir {out}/shards"
    patch.setattr(sys, "argv", [str(script), *words, *options.split(), "--note", f"{out}/note.json", "--key", "k"])
    out.mkdir()
    runpy.run_path(str(script), run_name="plan_shards")["main"]()
    return {str(path.relative_to(out)): path.read_bytes() for path in sorted(out.rglob("*.parquet"))}


def check(told: dict[str, str], out: Path) -> None:
    """Compare what is told with the tables, and with the digest that every note of an earlier run has."""
    note = read_plan_note(out / "note.json")
    assert note is not None
    assert {name: shard.rows for name, shard in note.shards.items()} == told
    assert list(told) == shard_names(SHARDS)
    for name, words in told.items():
        table = read_table(out / "shards" / f"{name}.parquet")
        columns = [table[column].tolist() for column in ("utterance", "subset", "path", "seconds")]
        text = "".join(f"{value}\0" for column in columns for value in column)
        digest = hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
        assert words == f"{named(len(table), table['speaker'].nunique())}, digest {digest}"


def test_folders_of_any_name_are_planned_ahead_as_the_rule_plans_them(
    clips: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tables = plan_shards(repository, WORDS, clips / "out", monkeypatch)
    assert len(tables) == SHARDS + 1
    check(plan_ahead([*WORDS, "--shards", str(SHARDS)]), clips / "out")
    ids = ["Zo=C3=AB/=E6=97=A5=E6=9C=AC/1=20=282=29", "id1/v/1", "id10/v/1", "id2/v=20x/=C3=A4", "id2/v=20x/b"]
    assert read_table("out/plan.parquet")["utterance"].tolist() == ids


def test_a_list_gives_the_same_bytes_however_it_was_saved(
    clips: Path, repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = [*WORDS, "--train-list", "list.txt"]
    lines = "".join(f"{name.split('/')[0]} {name}.wav {n}.50\n" for n, name in enumerate(LISTED))
    written = []
    for n, encode in enumerate(ENCODED.values()):
        Path("list.txt").write_bytes(encode(lines))
        written.append(plan_shards(repository, words, clips / f"out{n}", monkeypatch))
        check(plan_ahead([*words, "--shards", str(SHARDS)]), clips / f"out{n}")
    assert all(tables == written[0] for tables in written)
    plan = read_table("out0/plan.parquet")
    assert plan["utterance"].tolist() == LISTED
    assert plan["path"].tolist() == ["id1/v/1", "id2/v x/ä", "id2/v x/b.part", "id10/v/1", "Zoë/v/1", "x=20/v/+@"]


@pytest.mark.parametrize(
    ("line", "told"), [("id1 id1/v/1.mp4 3.0\n", "listed 2 times"), ("id2 id1/v/2.wav 3.0\n", "must be the same")]
)
def test_what_cannot_be_planned_cannot_be_planned_ahead(clips: Path, line: str, told: str) -> None:
    Path("list.txt").write_text(f"id1 id1/v/1.wav 3.0\n{line}")
    with pytest.raises(AvsieveError, match=told):
        plan_ahead([*WORDS, "--train-list", "list.txt", "--shards", str(SHARDS)])

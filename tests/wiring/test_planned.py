from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import pytest

from avsieve.config.source import Source
from avsieve.sources.plan_note import FIRST, note_plan, read_plan_note
from avsieve.storage import paths as P
from avsieve.storage.ids import shard_of
from avsieve.wiring.planned import Planned
from avsieve.wiring.source import SourceWiring
from avsieve.wiring.watch import Watch

SHARDS = 3  # of id1 the last, of id4 the first, of id5 the second
FIRST_LIST = "id1 id1/v/1.wav 3.0\nid4 id4/v/1.wav 3.0\nid5 id5/v/1.wav 3.0\n"
ONE_MORE = f"{FIRST_LIST}id7 id7/v/1.wav 3.0\n"


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clips").mkdir()
    (tmp_path / "list.txt").write_text(FIRST_LIST)
    return tmp_path


def planned(repository: Path, *, ahead: bool = True) -> Planned:
    source = Source.model_validate({"kind": "tree", "tree": {"root": "clips", "train_list": "list.txt"}})
    wiring = SourceWiring(source)
    return Planned(
        wiring, Watch(source, {}), SHARDS, code=lambda: ["plan.py 1"], src=repository / "src",
        kept=lambda path: f"kept {path}", written=lambda paths: ["written", *paths], ahead=ahead,
    )  # fmt: skip


def told(rules: Planned) -> list[str]:
    return [rules.told(SimpleNamespace(shard=f"{n:03d}")) for n in range(SHARDS)]


def inputs(rules: Planned) -> list[str]:
    return [rules.shard(SimpleNamespace(shard=f"{n:03d}")).partition("results")[0] for n in range(SHARDS)]


def plan(rules: Planned, of_all: str = "") -> None:
    """Do what `plan_shards` does for the rules."""
    for n in range(SHARDS):
        path = Path(P.of(P.plan.shard, shard=f"{n:03d}"))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    note_plan(P.plan.note, rules.key(None), of_all, rules.rows())


def test_the_first_plan_is_not_made_ahead(run: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rules = planned(repository)
    monkeypatch.setattr(Planned, "rows", lambda self: pytest.fail("planned ahead"))
    assert told(rules) == [FIRST] * SHARDS
    assert inputs(rules) == [""] * SHARDS
    assert rules.of_all(None) == ""
    assert rules.shards_to_write(["a"]) == ["a"]


def test_a_speaker_more_is_told_to_the_own_shard_and_all_others_keep_their_plans(run: Path, repository: Path) -> None:
    plan(planned(repository))
    assert told(planned(repository)) == [FIRST] * SHARDS
    assert inputs(planned(repository)) == ["kept "] * SHARDS
    (run / "list.txt").write_text(ONE_MORE)
    rules = planned(repository)
    assert shard_of("id7", SHARDS) == 0
    first, *others = told(rules)
    assert first.startswith("utterances: 2 utterances of 2 speakers, digest ")
    assert others == [FIRST] * (SHARDS - 1)
    assert inputs(rules) == ["", "kept ", "kept "]
    assert rules.shards_to_write(["a"]) == ["written", "a"]
    plan(rules)
    # What the jobs were told stays, until their utterances are others again.
    assert told(planned(repository)) == [first, *others]
    assert inputs(planned(repository)) == ["kept "] * SHARDS
    (run / "list.txt").write_text(FIRST_LIST)
    assert told(planned(repository))[0].startswith("utterances: 1 utterance of 1 speaker, digest ")


def test_a_plan_that_is_gone_is_waited_for(run: Path, repository: Path) -> None:
    plan(planned(repository))
    Path(P.of(P.plan.shard, shard="001")).unlink()
    assert inputs(planned(repository)) == ["kept ", "", "kept "]


@pytest.mark.parametrize("lost", ["the note", "the list"])
def test_where_nothing_can_be_compared_every_shard_is_fetched_again_once(
    run: Path, repository: Path, lost: str, caplog: pytest.LogCaptureFixture
) -> None:
    before = planned(repository)
    plan(before)
    if lost == "the note":
        Path(P.plan.note).unlink()
    else:
        (run / "list.txt").write_text("one word\n")
    rules = planned(repository)
    texts = told(rules)
    assert len(set(texts)) == 1
    assert texts[0].startswith("utterances: planned from ")
    assert inputs(rules) == [""] * SHARDS
    assert ("list.txt" in caplog.text) is (lost == "the list")
    if lost == "the note":
        assert rules.of_all(None) == f"--of-all '{texts[0]}'"
        plan(rules, texts[0])
        again = planned(repository)
        assert told(again) == texts
        assert again.of_all(None) == rules.of_all(None)  # a parameter of `plan_shards`, which has nothing to do
        assert inputs(again) == ["kept "] * SHARDS


def test_a_job_of_a_cluster_goes_by_the_note(run: Path, repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plan(planned(repository))
    (run / "list.txt").write_text(ONE_MORE)
    monkeypatch.setattr(Planned, "rows", lambda self: pytest.fail("planned ahead"))
    rules = planned(repository, ahead=False)
    assert told(rules) == [FIRST] * SHARDS
    assert inputs(rules) == ["kept "] * SHARDS


@pytest.mark.parametrize("text", ["", "[]", '{"key": "1"}', '{"key": "1", "of_all": "", "shards": {"000": {"a": 1}}}'])
def test_a_note_that_cannot_be_read_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / "note.json").write_text(text)
    assert read_plan_note(tmp_path / "note.json") is None

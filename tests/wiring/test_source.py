from __future__ import annotations

import pytest

from avsieve.config.source import Source
from avsieve.wiring.flags import flags
from avsieve.wiring.source import SourceWiring


def wiring(kind: str, **settings: object) -> SourceWiring:
    return SourceWiring(Source.model_validate({"kind": kind, kind: settings}))


def test_only_what_downloads_takes_the_network() -> None:
    assert wiring("urls", table="t.csv").network == 1
    assert wiring("tree", root="mp4").network == 0


@pytest.mark.parametrize(
    ("kind", "settings", "in_plan", "in_fetch"),
    [
        (
            "archive",
            {"video": ["a b*"], "train_list": "l.txt"},
            "--video 'a b*' --layout speaker/video/utterance --train-list l.txt",
            "--no-verify",
        ),
        (
            "tree",
            {"root": "mp4", "audio_root": "aac"},
            "--root mp4 --layout speaker/video/utterance --audio-root aac",
            "--audio-root aac",
        ),
        ("urls", {"table": "t.csv"}, "--table t.csv", "--store downloads --parallel 4"),
    ],
)
def test_planning_and_fetching_get_the_keys_that_they_read(
    kind: str, settings: dict[str, object], in_plan: str, in_fetch: str
) -> None:
    source = wiring(kind, **settings)
    assert flags(source.settings, leave=source.leave_in_plan) == in_plan
    shown = flags(source.settings, leave=source.leave_in_fetch)
    assert in_fetch in shown
    assert "train-list" not in shown
    assert "--table" not in shown


def test_another_content_of_a_list_or_table_plans_anew() -> None:
    assert wiring("urls", table="t.csv", test_table="u.csv").plan_files == ["t.csv", "u.csv"]
    assert wiring("archive", video=["a.zip"], train_list="l.txt").plan_files == ["l.txt"]


def test_tables_may_be_several_and_are_read_as_the_keys_say() -> None:
    source = wiring(
        "embeddings", train_list="l.txt", audio=["a.npz", "v.npy:n.txt"], test_audio="t.npz", names_key="files",
        strip_prefix="/data/",
    )  # fmt: skip
    assert source.contract.tables("audio") == ["a.npz", "v.npy:n.txt", "t.npz"]
    assert source.table_files("audio") == ["a.npz", "v.npy", "n.txt", "t.npz"]
    shown = flags(source.table_settings("audio"))
    assert shown == "--tables a.npz v.npy:n.txt t.npz --names-key files --vectors-key embedding --strip-prefix /data/"
    assert source.folder_state("audio") == ""
    assert "--audio a.npz v.npy:n.txt --test-audio t.npz --names-key files" in flags(source.settings)

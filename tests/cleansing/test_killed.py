"""Scoring and cleansing that are killed: begun again, they leave the bytes of a run that nobody killed."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.centre_files import read_centres, write_centres
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.scores import merge_scores, write_scores
from avsieve.cleansing.settings import Cleansing
from avsieve.cleansing.write import cleanse_list
from avsieve.lists.train_list import write_train_list
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from tests.kills import survives_kills

from .conftest import Scored, score


def test_centres_and_scores(scored: Scored, tmp_path: Path) -> None:
    def work(out: Path) -> None:
        write_centres(out / "centres.parquet", scored.centres)
        write_scores(out / "000.parquet", scored.scores)
        write_scores(out / "001.parquet", scored.scores)
        merge_scores([out / "000.parquet", out / "001.parquet"], out / "scores.parquet")

    assert survives_kills(work, tmp_path) == 6
    again = score_shard(scored.shard, read_centres(tmp_path / "calm/centres.parquet"))
    write_scores(tmp_path / "again.parquet", again)
    assert (tmp_path / "again.parquet").read_bytes() == (tmp_path / "calm/000.parquet").read_bytes()


def test_lists(tmp_path: Path) -> None:
    world = WorldSpec(speakers=8, outsiders=4, videos_per_speaker=3, utterances_per_video=2)
    few = score(simulate(world, NoiseSpec(rate=0.2), seed=3))
    write_scores(tmp_path / "scores.parquet", few.scores)
    utterances = few.corpus.plan["utterance"].tolist()
    write_train_list(tmp_path / "train_all.txt", utterances, ["4.0"] * len(utterances))
    killed = survives_kills(
        lambda out: cleanse_list(tmp_path / "train_all.txt", tmp_path / "scores.parquet", out, Cleansing()),
        tmp_path,
        most=3,
    )
    assert killed == 3

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.centre_files import read_centres, write_centres
from avsieve.cleansing.centres import pool
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.inputs import join_shard, unit_rows
from avsieve.cleansing.scores import concatenate, merge_scores, read_scores, to_table, write_scores
from avsieve.errors import AvsieveError


def split(corpus, parts):
    names = sorted(corpus.plan["speaker"].unique())
    for k in range(parts):
        rows = corpus.plan["speaker"].isin(names[k::parts]).to_numpy()
        plan = corpus.plan[rows].reset_index(drop=True)
        ids = plan["utterance"].tolist()
        tables = {"audio": (ids, corpus.audio[rows], None), "visual": (ids, corpus.visual[rows], None)}
        yield join_shard(plan, tables, f"part {k}")


def test_shards_do_not_change_the_scores(scored):
    shards = list(split(scored.corpus, 5))
    centres = pool(lambda: iter(shards))
    joined = concatenate([score_shard(s, centres) for s in shards])
    order = np.argsort(joined.utterance.astype(str), kind="stable")
    expected = np.argsort(scored.scores.utterance.astype(str), kind="stable")
    np.testing.assert_allclose(joined.audio.similarity[order], scored.scores.audio.similarity[expected], atol=1e-5)
    np.testing.assert_allclose(joined.joint[order], scored.scores.joint[expected], atol=1e-5)


def test_nearest_other_speaker_is_what_a_full_matrix_says(scored):
    scores, centres = scored.scores, scored.centres
    metric, found = centres.metric["visual"], scores.learned["visual"]
    assert metric is not None
    full = metric(scored.shard.embeddings["visual"]) @ centres.centre["visual"].T
    full[np.arange(len(full)), scores.speaker] = -2
    np.testing.assert_array_equal(found.other_speaker[:, 0], full.argmax(axis=1))
    np.testing.assert_allclose(found.other[:, 0], full.max(axis=1), atol=1e-5)
    assert (found.other_speaker != scores.speaker[:, None]).all()


def test_the_nearest_by_the_metric_have_the_plain_cosines_that_users_know(scored):
    scores, centres = scored.scores, scored.centres
    full = scored.shard.embeddings["audio"] @ centres.plain["audio"].T
    picked = np.take_along_axis(full, scores.audio.other_speaker, axis=1)
    np.testing.assert_allclose(scores.audio.other, picked, atol=1e-6)
    assert (np.diff(scores.audio.other, axis=1) <= 0).all()
    np.testing.assert_array_equal(
        np.sort(scores.audio.other_speaker, axis=1), np.sort(scores.learned["audio"].other_speaker, axis=1)
    )


def test_right_utterances_lie_where_encoders_put_them(scored):
    right = scored.scores.audio.similarity[~scored.wrong_audio]
    wrong = scored.scores.audio.similarity[scored.wrong_audio]
    assert np.mean(right) == pytest.approx(0.62, abs=0.04)
    assert np.mean(wrong) == pytest.approx(0.08, abs=0.05)


def test_centres_and_scores_survive_their_files(scored, tmp_path):
    write_centres(tmp_path / "centres.parquet", scored.centres)
    centres = read_centres(tmp_path / "centres.parquet")
    assert centres.speakers == scored.centres.speakers
    assert centres.calibration == scored.centres.calibration
    scores = score_shard(scored.shard, centres)
    pd.testing.assert_frame_equal(to_table(scores).to_pandas(), to_table(scored.scores).to_pandas())
    rows = np.arange(len(scores))
    write_scores(tmp_path / "a.parquet", scores.take(rows[:100]))
    write_scores(tmp_path / "b.parquet", scores.take(rows[100:]))
    merge_scores([tmp_path / "a.parquet", tmp_path / "b.parquet"], tmp_path / "scores.parquet")
    again = read_scores(tmp_path / "scores.parquet")
    assert again.speakers == scores.speakers
    pd.testing.assert_frame_equal(to_table(again).to_pandas(), to_table(scores).to_pandas())


def test_equal_input_gives_equal_bytes(scored, tmp_path):
    for name in ("one", "two"):
        write_centres(tmp_path / f"{name}.parquet", pool(lambda: iter([scored.shard])))
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()


def test_a_missing_modality_is_nan_and_the_other_goes_on(scored):
    plan = scored.corpus.plan
    ids = plan["utterance"].tolist()
    shard = join_shard(plan, {"audio": (ids, scored.corpus.audio, None), "visual": None}, "voices only")
    scores = score_shard(shard, pool(lambda: iter([shard])))
    assert np.isnan(scores.visual.similarity).all()
    assert not np.isnan(scores.audio.similarity).all()
    assert (scores.joint_speaker[:, 0] == scores.learned["audio"].other_speaker[:, 0]).all()


def test_embeddings_of_another_run_are_refused():
    plan = pd.DataFrame({"utterance": ["id1/v/1"], "speaker": ["id1"]})
    with pytest.raises(AvsieveError, match="none of the 1 audio embeddings"):
        join_shard(plan, {"audio": (["id9/v/1"], np.ones((1, 4), np.float32), None), "visual": None}, "plan")


def test_an_embedding_that_is_not_finite_or_zero_is_a_missing_one_and_told(scored):
    plan, voices = scored.corpus.plan, scored.corpus.audio.copy()
    voices[3, 0], voices[4, 5], voices[5] = np.nan, np.inf, 0.0
    ids = plan["utterance"].tolist()
    shard = join_shard(plan, {"audio": (ids, voices, None), "visual": (ids, scored.corpus.visual, None)}, "plan")
    assert np.flatnonzero(~shard.present["audio"]).tolist() == [3, 4, 5]
    assert np.flatnonzero(shard.not_finite["audio"]).tolist() == [3, 4, 5]
    scores = score_shard(shard, pool(lambda: iter([shard])))
    assert np.isnan(scores.audio.similarity[3:6]).all()
    assert not np.isnan(scores.visual.similarity[3:6]).any()
    assert scores.audio.not_finite.sum() == 3


def test_a_shard_of_nothing_but_such_embeddings_is_refused():
    plan = pd.DataFrame({"utterance": ["id1/v/1"], "speaker": ["id1"]})
    with pytest.raises(AvsieveError, match=r"all 1 audio embeddings are NaN, infinite or zero \(first: id1/v/1\)"):
        join_shard(plan, {"audio": (["id1/v/1"], np.full((1, 4), np.nan, np.float32), None), "visual": None}, "plan")


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_the_size_of_an_embedding_does_not_matter(size):
    x = np.array([[3, 4], [0, 0], [4, 3]], np.float32) * np.float32(size)
    np.testing.assert_allclose(unit_rows(x), [[0.6, 0.8], [0, 0], [0.8, 0.6]], rtol=1e-6)


def test_one_speaker_has_no_foreign_one_to_be_compared_with(scored):
    mine = (scored.corpus.plan["speaker"] == scored.scores.speakers[0]).to_numpy()
    plan = scored.corpus.plan[mine].reset_index(drop=True)
    tables = {m: (plan["utterance"].tolist(), getattr(scored.corpus, m)[mine], None) for m in ("audio", "visual")}
    shard = join_shard(plan, tables, "one")
    scores = score_shard(shard, pool(lambda: iter([shard])))
    assert np.isnan(scores.audio.foreign).all()
    assert np.isnan(scores.audio.other).all()
    assert not np.isnan(scores.audio.similarity).any()


def test_a_speaker_in_two_shards_is_refused(scored):
    with pytest.raises(AvsieveError, match="lies in two shards"):
        pool(lambda: iter([scored.shard, scored.shard]))


def test_scores_are_read_in_the_order_of_a_list(scored, tmp_path):
    write_scores(tmp_path / "scores.parquet", scored.scores)
    order = np.random.default_rng(0).permutation(len(scored.scores))[:50]
    wanted = scored.scores.utterance[order].tolist()
    found = read_scores(tmp_path / "scores.parquet", wanted)
    pd.testing.assert_frame_equal(to_table(found).to_pandas(), to_table(scored.scores.take(order)).to_pandas())
    with pytest.raises(AvsieveError, match="1 of 51 utterances of the plan are not in the scores, for example id9/v/1"):
        read_scores(tmp_path / "scores.parquet", [*wanted, "id9/v/1"])

"""Who has a label of their own is hardly the speaker of another."""

from __future__ import annotations

import re
import zipfile

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.calibration import PairCalibration
from avsieve.cleansing.centre_files import read_centres, write_centres
from avsieve.cleansing.centres import pool
from avsieve.cleansing.claims import Claims, named
from avsieve.cleansing.decisions import decide
from avsieve.cleansing.evidence import score_shard
from avsieve.cleansing.inputs import Shard, join_shard, unit_rows
from avsieve.cleansing.judge import judge
from avsieve.cleansing.pooling import pool_speaker
from avsieve.errors import AvsieveError
from avsieve.storage.tables import read_table, write_table

DIM, SPEAKERS, QUALITY = 48, 40, 0.75
OWN, OTHER = 7, 12  # the label that is two people's, and the label of the second of them


@pytest.fixture
def rng():
    return np.random.default_rng(0)


def shown(rng, person, videos, utterances=4):
    """Return (videos * utterances, DIM) embeddings of a person."""
    noise = unit_rows(rng.standard_normal((videos * utterances, DIM)))
    return unit_rows(QUALITY * person + np.sqrt(1 - QUALITY**2) * noise)


def corpus(rng, second: str) -> tuple[Shard, np.ndarray]:
    """Return a shard whose label `OWN` has three videos of its person and four of somebody else, who are first.

    ``second``: ``"other"``, the person of the label `OTHER`, or ``"nobody"``, of no label. Also which rows are theirs.
    """
    people = {m: unit_rows(rng.standard_normal((SPEAKERS + 1, DIM))) for m in ("audio", "visual")}
    stranger = OTHER if second == "other" else SPEAKERS
    rows, wrong = [], []
    E: dict[str, list[np.ndarray]] = {"audio": [], "visual": []}
    for label in range(SPEAKERS):
        parts = [(stranger, 4), (OWN, 3)] if label == OWN else [(label, 6)]
        video = 0
        for who, videos in parts:
            for m, vectors in E.items():
                vectors.append(shown(rng, people[m][who], videos))
            for v in range(videos):
                rows += [(f"id{label:02d}/v{video + v}/{u}", f"id{label:02d}") for u in range(4)]
                wrong += [who != label] * 4
            video += videos
    plan = pd.DataFrame(rows, columns=["utterance", "speaker"])
    ids = plan["utterance"].tolist()
    return join_shard(plan, {m: (ids, np.concatenate(v), None) for m, v in E.items()}, "made"), np.array(wrong)


def test_a_label_of_two_people_is_whose_person_has_no_other_label(rng, tmp_path):
    shard, wrong = corpus(rng, "other")
    centres = pool(lambda: iter([shard]))
    # Four videos against three: inside the label the stranger is the likelier speaker.
    assert centres.turned[OWN] >= 0
    assert (np.delete(centres.turned, OWN) == -1).all()
    nearest = centres.centre["audio"] @ centres.centre["audio"][OWN]
    nearest[OWN] = -1
    assert nearest.max() < 0.6
    write_centres(tmp_path / "centres.parquet", centres)
    scores = score_shard(shard, read_centres(tmp_path / "centres.parquet"))
    here = scores.speaker == OWN
    assert scores.doubt[here].max() < 0.1
    found = scores.audio.similarity
    assert found[here & ~wrong].min() > found[here & wrong].max()
    assert (decide(scores, judge(scores, "posterior"), "either", 0.5).noisy[here] == wrong[here]).all()


def test_centres_of_an_older_run_are_told_from_broken_ones(rng, tmp_path):
    shard, _ = corpus(rng, "nobody")
    path = tmp_path / "centres.parquet"
    write_centres(path, pool(lambda: iter([shard])))
    write_table(path, read_table(path).drop(columns="turned"))
    with pytest.raises(AvsieveError, match=r"columns \['turned'\] are missing.*run its stage again"):
        read_centres(path)


def test_metrics_that_cannot_be_read_are_told(rng, tmp_path):
    shard, _ = corpus(rng, "nobody")
    path = tmp_path / "centres.parquet"
    write_centres(path, pool(lambda: iter([shard])))
    metric = path.with_suffix(".npz")
    with zipfile.ZipFile(metric, "w") as archive:
        archive.writestr("audio_mean.npy", b"no array")
        archive.writestr("audio_axes.npy", b"no array")
    with pytest.raises(AvsieveError, match=r"centres.npz: not what pass 1 wrote, or damaged .TypeError: audio has"):
        read_centres(path)
    content = bytearray(metric.read_bytes())
    for head in re.finditer(b"PK\x01\x02|PK\x03\x04", bytes(content)):
        content[head.start() + (8 if content[head.start() + 2] == 1 else 6)] |= 1  # it claims to be encrypted
    metric.write_bytes(content)
    with pytest.raises(AvsieveError, match=r"centres.npz: not what pass 1 wrote, or damaged .RuntimeError"):
        read_centres(path)


def test_of_two_people_whom_no_other_label_claims_it_stays_in_doubt(rng):
    shard, wrong = corpus(rng, "nobody")
    centres = pool(lambda: iter([shard]))
    assert (centres.turned == -1).all()
    scores = score_shard(shard, centres)
    here = scores.speaker == OWN
    assert 0.2 < scores.doubt[here].max() < 0.5
    assert scores.audio.similarity[here & wrong].min() > scores.audio.similarity[here & ~wrong].max()


@pytest.fixture
def claims(rng):
    centre = unit_rows(rng.standard_normal((6, DIM)))
    return Claims(dict.fromkeys(("audio", "visual"), centre), dict.fromkeys(("audio", "visual"), np.full(6, 9.0)),
                  dict.fromkeys(("audio", "visual"), 0.5))  # fmt: skip


def ratio(claims, vector, own=5, videos=9.0):
    rows = unit_rows(np.asarray(vector, np.float32)[None])
    return float(claims.ratio({"audio": rows, "visual": rows}, np.array([videos]), own)[0])


def test_who_has_another_label_is_unlikely_and_who_has_none_is_likely(claims, rng):
    centre = claims.centre["audio"]
    assert ratio(claims, centre[2]) < 0.1
    assert ratio(claims, rng.standard_normal(DIM)) > 1.5
    # The own label is no other.
    assert ratio(claims, centre[5]) > 1.5


def test_a_lookalike_of_another_label_is_not_its_person(claims, rng):
    away = rng.standard_normal(DIM)
    away -= away @ claims.centre["audio"][2] * claims.centre["audio"][2]
    assert ratio(claims, 0.6 * claims.centre["audio"][2] + 0.8 * unit_rows(away[None])[0]) > 1.5


def test_the_less_is_seen_of_a_person_the_less_like_a_centre_they_need_be(claims, rng):
    away = rng.standard_normal(DIM)
    away -= away @ claims.centre["audio"][2] * claims.centre["audio"][2]
    vector = 0.7 * claims.centre["audio"][2] + 0.714 * unit_rows(away[None])[0]
    assert ratio(claims, vector, videos=1.0) < 0.2 < 1.5 < ratio(claims, vector, videos=30.0)


def test_nothing_is_known_of_a_person_without_embeddings_or_of_a_corpus_without_pairs(claims):
    nothing = np.zeros((1, DIM), np.float32)
    assert claims.ratio({"audio": nothing, "visual": nothing}, np.ones(1), 5)[0] == 1.0
    blind = Claims(claims.centre, claims.videos, dict.fromkeys(("audio", "visual"), float("nan")))
    assert ratio(blind, claims.centre["audio"][2]) == 1.0


def test_nobody_is_asked_for_where_all_videos_agree(rng):
    person = unit_rows(rng.standard_normal((1, DIM)))[0]
    E = shown(rng, person, 6)
    calibration = dict.fromkeys(("audio", "visual"), PairCalibration(0.05, 0.1, 0.5, 0.13, 0.9))
    model = pool_speaker({"audio": E, "visual": E}, np.repeat(np.arange(6), 4), calibration)
    assert named(model) is None

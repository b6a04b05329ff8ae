from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing.injection import LOOKALIKES, OWN_VOICE, Native, inject
from avsieve.cleansing.inputs import MODALITIES, unit_rows
from avsieve.cleansing.settings import Audit
from avsieve.errors import AvsieveError
from avsieve.simulation.corpus import simulate
from avsieve.simulation.settings import NoiseSpec, WorldSpec


@pytest.fixture(scope="module")
def corpus():
    world = WorldSpec(speakers=60, outsiders=10, videos_per_speaker=8, utterances_per_video=4)
    return simulate(world, NoiseSpec(rate=0.1), seed=1)


@pytest.fixture(scope="module")
def native(corpus):
    """What a perfect judge knows of the list."""
    truth = corpus.truth
    wrong = {m: (truth[f"{m}_of"] != truth["speaker"]).to_numpy().astype(float) for m in MODALITIES}
    speakers = sorted(truth["speaker"].unique())
    right = (truth["kind"] == "clean").to_numpy()
    rows = [np.flatnonzero(right & (truth["speaker"] == s).to_numpy()) for s in speakers]
    centres = [unit_rows(np.stack([e[r].sum(axis=0) for r in rows])) for e in (corpus.audio, corpus.visual)]
    return Native(wrong | {"both": wrong["audio"] * wrong["visual"]}, speakers, np.concatenate(centres, axis=1))


def test_broken_utterances_take_embeddings_of_utterances_that_left_the_list(corpus):
    frame = corpus.plan[["utterance", "speaker"]]
    injection = inject(frame, Audit(rate=0.1, mixed=0.2, seed=4))
    left = set(frame["utterance"]) - set(injection.frame["utterance"])
    kind = injection.frame["kind"].to_numpy()
    assert np.mean((kind != "") & (kind != "mixed")) == pytest.approx(0.1, abs=0.03)
    for m, other in (("audio", "visual"), ("visual", "audio")):
        own = injection.frame["utterance"].to_numpy() == np.array(injection.sources[m])
        np.testing.assert_array_equal(own, (kind == "") | (kind == other) | ((kind == "mixed") & (m == "visual")))
        assert set(np.array(injection.sources[m])[~own]) <= left
        used = np.array(injection.sources[m])[~own].tolist()
        assert len(used) == len(set(used))


def test_a_broken_video_is_one_other_video_throughout(corpus):
    injection = inject(corpus.plan[["utterance", "speaker"]], Audit(rate=0.1, seed=4))
    rows = injection.frame[injection.frame["kind"] == "video"].index
    given = {}
    for i in rows:
        video, source = (u.rsplit("/", 1)[0] for u in (injection.frame["utterance"][i], injection.sources["audio"][i]))
        given.setdefault(video, set()).add(source)
        assert injection.sources["audio"][i] == injection.sources["visual"][i]
        assert source.split("/")[0] != injection.frame["speaker"][i]
    assert given
    assert all(len(v) == 1 for v in given.values())


def test_errors_take_the_places_of_the_errors_that_the_list_holds(corpus, native):
    frame = corpus.plan[["utterance", "speaker"]]
    # Fewer of each kind than the list holds, held-out speakers left aside: there is a place for each.
    found = inject(frame, Audit(rate=0.03, seed=4), native).frame
    was = corpus.truth.set_index("utterance").loc[found["utterance"], "kind"].to_numpy()
    kind = found["kind"].to_numpy()
    for name in ("video", "audio", "visual"):
        assert np.mean(was[kind == name] == name) > 0.9
    # A list as noisy as before: what is wrong was replaced, not added to.
    assert np.mean((was != "clean") | ((kind != "") & (kind != "mixed"))) == pytest.approx(
        np.mean(was != "clean"), abs=0.03
    )


def test_mixed_voices_come_on_top_of_the_others_where_nothing_is_suspected(corpus, native):
    frame = corpus.plan[["utterance", "speaker"]]
    found = inject(frame, Audit(rate=0.1, mixed=0.5, seed=4), native).frame
    kind, own = found["kind"].to_numpy(), found["own_voice"].to_numpy()
    mixed = kind == "mixed"
    assert mixed.sum() == pytest.approx(0.5 * (kind == "audio").sum(), abs=2)
    assert ((own > 0) == mixed).all()
    assert OWN_VOICE[0] <= own[mixed].min() < own[mixed].max() <= OWN_VOICE[1]
    was = corpus.truth.set_index("utterance").loc[found["utterance"], "kind"].to_numpy()
    assert (was[mixed] == "clean").all()
    # All the rest is injected as it is without them.
    without = inject(frame, Audit(rate=0.1, mixed=0.0, seed=4), native).frame
    broken = without[without["kind"] != ""]
    assert found.set_index("utterance").loc[broken["utterance"], "kind"].tolist() == broken["kind"].tolist()


def test_donors_are_not_under_suspicion(corpus, native):
    found = inject(corpus.plan[["utterance", "speaker"]], Audit(rate=0.1, seed=4), native)
    right = set(corpus.truth.loc[corpus.truth["kind"] == "clean", "utterance"])
    for m in MODALITIES:
        for own, source in zip(found.frame["utterance"], found.sources[m], strict=True):
            assert own == source or source in right


def test_lookalikes_are_among_the_most_similar_speakers(corpus, native):
    frame = corpus.plan[["utterance", "speaker"]]
    found = inject(frame, Audit(rate=0.1, similar=1.0, outside=0.0, seed=4), native)
    broken = found.frame[found.frame["kind"] != ""]
    assert broken["similar"].mean() > 0.7
    likeness = native.centres @ native.centres.T
    np.fill_diagonal(likeness, -np.inf)
    at = {s: i for i, s in enumerate(native.speakers)}
    for i, row in broken[broken["similar"]].iterrows():
        source = found.sources["visual" if row["kind"] == "visual" else "audio"][i]
        nearest = [native.speakers[k] for k in np.argsort(-likeness[at[row["speaker"]]])[:LOOKALIKES]]
        assert source.split("/")[0] in nearest
    blind = inject(frame, Audit(rate=0.1, similar=0.0, seed=4), native).frame
    assert not blind["similar"].any()


def test_outsiders_are_nobodys_label(corpus, native):
    found = inject(corpus.plan[["utterance", "speaker"]], Audit(rate=0.1, outside=0.5, seed=4), native)
    labels = set(found.frame["speaker"])
    of = [a if a != u else v for u, a, v in zip(found.frame["utterance"], *found.sources.values(), strict=True)]
    broken = (found.frame["kind"] != "").to_numpy()
    outside = np.array([s.split("/")[0] not in labels for s in of])
    np.testing.assert_array_equal(outside[broken], found.frame["outside"].to_numpy()[broken])
    assert 0.3 < outside[broken].mean() < 0.7


def test_a_list_without_donors_is_refused(corpus):
    with pytest.raises(AvsieveError, match="5 utterances are too few to audit"):
        inject(corpus.plan[["utterance", "speaker"]].iloc[:5], Audit(rate=0.1))

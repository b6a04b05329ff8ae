"""The search for the nearest other speakers gives what the product with all centres gives."""

from __future__ import annotations

import numpy as np
import pytest

from avsieve.cleansing import nearest
from avsieve.cleansing.inputs import unit_rows
from avsieve.cleansing.nearest import Competition, Nearest

D = {"audio": 48, "visual": 96}


def made(speakers=500, per_speaker=8, decay=6.0, seed=0, widths=D):
    """Return centres, embeddings, presence and labels; the spectrum falls by e in ``decay`` coordinates."""
    rng = np.random.default_rng(seed)
    own = rng.permutation(np.repeat(np.arange(speakers), per_speaker)).astype(np.int32)
    centres, embeddings = {}, {}
    for m, d in widths.items():
        scale = np.exp(-np.arange(d) / decay).astype(np.float32)
        centres[m] = unit_rows(rng.standard_normal((speakers, d)) * scale)
        noise = unit_rows(rng.standard_normal((len(own), d)) * scale)
        embeddings[m] = unit_rows(0.6 * centres[m][own] + 0.8 * noise)
    return centres, embeddings, {m: np.ones(len(own), bool) for m in widths}, own


def take_away(centres, embeddings, present, seed=1):
    """Let centres and embeddings of either modality be missing."""
    rng = np.random.default_rng(seed)
    for m in centres:
        centres[m][rng.random(len(centres[m])) < 0.1] = 0
        present[m] = rng.random(len(present[m])) < 0.8
        embeddings[m][~present[m]] = 0


def brute(centres, embeddings, present, own):
    """Multiply everything with everything, in double precision."""
    there = {m: present[m][:, None] & (centres[m] != 0).any(axis=1)[None] for m in centres}
    others = own[:, None] != np.arange(len(next(iter(centres.values()))))[None]
    cosine = {m: embeddings[m].astype(float) @ centres[m].T.astype(float) for m in centres}
    allowed = {m: there[m] & others for m in centres}
    count = sum(p.astype(int) for p in present.values())
    cosine["joint"] = sum(np.where(present[m][:, None], cosine[m], 0) for m in centres) / np.maximum(count, 1)[:, None]
    missing = np.any([present[m][:, None] & ~there[m] for m in centres], axis=0)
    allowed["joint"] = others & ~missing & (count > 0)[:, None]
    found = {}
    for kind, c in cosine.items():
        c = np.where(allowed[kind], c, -np.inf)
        index = np.argsort(-c, axis=1, kind="stable")[:, :3]
        value = np.take_along_axis(c, index, axis=1)
        index, value = (np.pad(a, ((0, 0), (0, 3 - a.shape[1]))) for a in (index, value))
        gone = np.isinf(value) | (np.arange(3) >= c.shape[1])
        found[kind] = np.where(gone, np.nan, value), np.where(gone, -1, index)
    return found


def agree(found: Nearest, expected, cosine_of=None):
    value, index = expected
    assert found.value.dtype == np.float32
    assert found.speaker.dtype == np.int32
    np.testing.assert_allclose(found.value, value, atol=2e-6)
    gap = np.abs(np.diff(np.nan_to_num(value, nan=-9), axis=1))
    clear = np.ones(value.shape, bool)  # where the order is not a matter of rounding
    clear[:, :-1] &= (gap > 1e-5) | (index[:, 1:] < 0)
    clear[:, 1:] &= gap > 1e-5
    clear[:, -1] = False  # the fourth is not known here
    clear |= index < 0
    np.testing.assert_array_equal(found.speaker[clear], index[clear])


def check(centres, embeddings, present, own, **more):
    each, joint = Competition(centres).find(embeddings, present, own, **more)
    expected = brute(centres, embeddings, present, own)
    for m in centres:
        agree(each[m], expected[m])
    agree(joint, expected["joint"])
    return each, joint


@pytest.mark.parametrize("decay", [6.0, 1e9])
def test_blocks_give_the_same_as_the_product_of_all_with_all(decay):
    centres, embeddings, present, own = made(decay=decay)
    take_away(centres, embeddings, present)
    check(centres, embeddings, present, own)


@pytest.mark.parametrize("speakers", [1, 2, 3, 4])
def test_fewer_than_three_others(speakers):
    each, joint = check(*made(speakers=speakers))
    others = min(3, speakers - 1)
    for found in (*each.values(), joint):
        assert np.isnan(found.value[:, others:]).all()
        assert (found.speaker[:, others:] == -1).all()
        assert not np.isnan(found.value[:, :others]).any()


def test_a_modality_that_nobody_has():
    centres, embeddings, present, own = made(speakers=20, widths={"audio": 48, "visual": 0})
    present["visual"][:] = False
    each, joint = check(centres, embeddings, present, own)
    assert np.isnan(each["visual"].value).all()
    np.testing.assert_array_equal(joint.speaker, each["audio"].speaker)


def test_nothing_to_compare_is_nothing_found():
    centres, embeddings, present, own = made(speakers=20)
    for m in present:
        present[m][:] = False
    each, joint = Competition(centres).find(embeddings, present, own)
    assert all(np.isnan(f.value).all() and (f.speaker == -1).all() for f in (*each.values(), joint))
    nobody = {m: p[:0] for m, p in present.items()}
    each, joint = Competition(centres).find({m: e[:0] for m, e in embeddings.items()}, nobody, own[:0])
    assert joint.value.shape == (0, 3)


def test_an_utterance_of_both_is_not_compared_with_a_speaker_of_one():
    centres, embeddings, present, own = made(speakers=20)
    centres["visual"][3] = 0
    present["visual"][own == 5] = False
    _, joint = check(centres, embeddings, present, own)
    assert not (joint.speaker[own != 5] == 3).any()


def test_equal_centres_are_both_found():
    centres, embeddings, present, own = made()
    for m in centres:
        centres[m][100:104] = centres[m][:4]
    embeddings = {m: unit_rows(0.9 * centres[m][own % 4] + 0.1 * e) for m, e in embeddings.items()}
    each, joint = Competition(centres).find(embeddings, present, own)
    twin = own % 4
    free = (own != twin) & (own != twin + 100)
    for found in (*each.values(), joint):
        assert (np.sort(found.speaker[free, :2]) == np.stack([twin, twin + 100], axis=1)[free]).all()
        np.testing.assert_allclose(found.value[free, 0], found.value[free, 1], atol=1e-6)


def test_threads_do_not_change_the_result():
    centres, embeddings, present, own = made()
    one = Competition(centres).find(embeddings, present, own, threads=1)
    three = Competition(centres).find(embeddings, present, own, threads=3)
    np.testing.assert_array_equal(one[1].value, three[1].value)
    np.testing.assert_array_equal(one[1].speaker, three[1].speaker)


def test_blocks_hold_every_row_once_and_one_set_of_modalities():
    _, _, present, own = made(speakers=40, per_speaker=31)
    present["audio"][::3] = False
    blocks = nearest._blocks(present, ["audio", "visual"])
    assert sorted(np.concatenate([rows for rows, _ in blocks])) == list(range(len(own)))
    for rows, modalities in blocks:
        assert len(rows) <= nearest._BLOCK
        for m in present:
            assert (present[m][rows] == (m in modalities)).all()

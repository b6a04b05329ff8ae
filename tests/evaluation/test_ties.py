"""Scores that are equal in exact arithmetic are equal: what embeddings of few levels stand and fall with."""

from fractions import Fraction

import numpy as np
import pytest
from sklearn.metrics import roc_curve

from avsieve.evaluation import as_norm as normalising
from avsieve.evaluation.as_norm import Cohort, mean_of_as_norms
from avsieve.evaluation.metrics import eer, error_rates, min_dcf
from avsieve.evaluation.scoring import Part, mean_of_cosines, settle
from avsieve.evaluation.segments import mean_of_units


def integers(kind, rng, n=300):
    """Return quantised vectors (n, D) int64, none of them zero."""
    if kind == "binary":
        vectors = rng.integers(0, 2, (n, 20))
    elif kind == "signs":
        vectors = 2 * rng.integers(0, 2, (n, 25)) - 1
    else:
        vectors = rng.integers(-2, 3, (n, 12))
    vectors[:, 0] = 1
    return vectors


def exact(vectors, enrol, test):
    """Return the rank of each trial's cosine in exact arithmetic: (T,) int64, equal where the cosines are equal."""
    lengths = [sum(int(x) ** 2 for x in v) for v in vectors]
    keys = []
    for e, t in zip(enrol.tolist(), test.tolist(), strict=True):
        product = int(vectors[e] @ vectors[t])
        keys.append(Fraction(product * abs(product), lengths[e] * lengths[t]))
    place = {key: rank for rank, key in enumerate(sorted(set(keys)))}
    return np.array([place[key] for key in keys])


def groups_hold(scores, ranks):
    """Tell whether all trials of a rank have one score."""
    order = np.argsort(ranks, kind="stable")
    same = np.diff(ranks[order]) == 0
    return not (np.diff(scores[order].astype(np.float64))[same] != 0).any()


@pytest.mark.parametrize("scaled", [np.ones, lambda n: np.arange(1, n + 1), lambda n: 2.0 ** (np.arange(n) % 90 - 80)])
@pytest.mark.parametrize("kind", ["binary", "signs", "small"])
def test_figures_of_quantised_embeddings_are_those_of_exact_arithmetic(kind, scaled):
    rng = np.random.default_rng(1)
    vectors = integers(kind, rng)
    enrol, test = rng.integers(0, len(vectors), (2, 6001))
    ranks = exact(vectors, enrol, test)
    is_target = rng.random(len(ranks)) < 1 / (1 + np.exp(-(ranks - np.median(ranks)) / ranks.std()))
    given = (vectors * scaled(len(vectors))[:, None]).astype(np.float32)
    scores = mean_of_cosines([Part.of(given)], enrol, test)
    assert groups_hold(scores, ranks)
    found, wanted = error_rates(scores, is_target), error_rates(ranks, is_target)
    for definition in ("interpolated", "nearest", "nearest_mean"):
        assert eer(found, definition) == eer(wanted, definition)
    fpr, tpr, _ = roc_curve(is_target, ranks, drop_intermediate=False)
    np.testing.assert_allclose(found.fpr, fpr, atol=1e-12)
    np.testing.assert_allclose(found.fnr, 1 - tpr, atol=1e-12)
    assert min_dcf(found, 0.01) == min_dcf(wanted, 0.01)


def test_sides_blocks_and_names_do_not_matter():
    rng = np.random.default_rng(2)
    vectors = rng.standard_normal((200, 192)).astype(np.float32)
    twice = Part.of(np.concatenate([vectors, 4 * vectors]))
    enrol, test = rng.integers(0, 200, (2, 1500))
    scores = mean_of_cosines([twice], enrol, test)
    np.testing.assert_array_equal(scores, mean_of_cosines([twice], test, enrol))
    np.testing.assert_array_equal(scores[7:], mean_of_cosines([twice], enrol[7:], test[7:]))
    np.testing.assert_array_equal(scores, mean_of_cosines([twice], enrol, test + 200))
    turned = Part.of(vectors[:, ::-1])
    np.testing.assert_array_equal(scores, mean_of_cosines([turned], enrol, test))


def test_means_over_modalities_hold_their_ties():
    rng = np.random.default_rng(3)
    sides = [2 * rng.integers(0, 2, (120, d)) - 1 for d in (15, 21)]
    present = rng.random((2, 120)) < 0.8
    enrol, test = rng.integers(0, 120, (2, 4000))
    scores = mean_of_cosines(
        [Part.of(s.astype(np.float32), p) for s, p in zip(sides, present, strict=True)], enrol, test
    )
    wanted = []
    for e, t in zip(enrol, test, strict=True):
        both = [Fraction(int(s[e] @ s[t]), s.shape[1]) for s, p in zip(sides, present, strict=True) if p[e] and p[t]]
        wanted.append(sum(both) / len(both) if both else None)
    there = ~np.isnan(scores)
    assert there.tolist() == [w is not None for w in wanted]
    place = {key: rank for rank, key in enumerate(sorted({w for w in wanted if w is not None}))}
    ranks = np.array([place[w] for w in wanted if w is not None])
    assert groups_hold(scores[there], ranks)
    assert len(np.unique(scores[there])) == len(place)


def test_normalised_scores_hold_their_ties(monkeypatch):
    monkeypatch.setattr(normalising, "BLOCK_SCORES", 7 * 11)  # blocks of 7 vectors, the last one shorter
    rng = np.random.default_rng(4)
    vectors = integers("small", rng, 60)
    cohort = integers("small", rng, 33)
    names = Cohort([f"c{k // 3}/v/{k}" for k in range(33)], top=5)
    enrol, test = rng.integers(0, 60, (2, 2000))

    def scored(given, others, one, other):
        return mean_of_as_norms([Part.of(given)], [Part.of(others)], names, one, other)

    given, others = vectors.astype(np.float32), cohort.astype(np.float32)
    scores = scored(given, others, enrol, test)
    np.testing.assert_array_equal(scores, scored(given, others, test, enrol))
    np.testing.assert_array_equal(scores, scored(np.concatenate([given, 3 * given]), others, enrol, test + 60))
    np.testing.assert_array_equal(scores, scored(given[:, ::-1], others[:, ::-1], enrol, test))


def test_scores_by_segments_hold_their_ties():
    rng = np.random.default_rng(5)
    vectors = integers("small", rng, 400).astype(np.float32)
    begins = np.arange(0, 400, 5)
    other = np.concatenate([rng.permutation(np.arange(b, b + 5)) for b in begins])
    parts = [
        Part(mean_of_units(scale * vectors, rows, begins), np.ones(80, dtype=bool))
        for rows, scale in ((np.arange(400), 1), (other, 3))
    ]
    enrol, test = rng.integers(0, 80, (2, 3000))
    one, two = (mean_of_cosines([part], enrol, test) for part in parts)
    np.testing.assert_array_equal(one, two)


def test_no_plain_fraction_lies_on_a_border():
    values = np.array([n / 2.0**k for k in range(40) for n in (-3, -1, 1, 3, 5) if abs(n) <= 2**k])
    np.testing.assert_array_equal(settle(values - 1e-14), settle(values + 1e-14))
    np.testing.assert_allclose(settle(values), values, atol=1e-6)
    assert settle(np.array([1 + 1e-15, 1 - 1e-15, -1.0, 0.5, 0.0])).tolist() == [1, 1, -1, 0.5, 0]


def test_vectors_of_any_size_have_a_direction():
    part = Part.of(np.array([[1e-30, 0], [3e37, 0], [0, 0]], dtype=np.float32))
    assert part.present.tolist() == [True, True, False]
    assert mean_of_cosines([part], np.array([0]), np.array([1])).tolist() == [1.0]

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avsieve.simulation.settings import ModalitySpec
from avsieve.simulation.world import Identities, unit

SPEC = ModalitySpec(dim=512)
PEOPLE = 400


def identities(spec: ModalitySpec = SPEC) -> Identities:
    rng = np.random.default_rng(3)
    return Identities(spec, PEOPLE, 6, rng.integers(2, size=PEOPLE), rng)


def observed(spec: ModalitySpec, person: np.ndarray) -> tuple[np.ndarray, np.ndarray, Identities]:
    made, rng = identities(spec), np.random.default_rng(4)
    channel, shift = made.channels(len(person), rng)
    return *made.observe(person, channel, shift, rng), made


def test_rows_have_length_one_and_zeros_stay() -> None:
    assert unit(np.array([[3.0, 4.0], [0.0, 0.0]])).tolist() == [[0.6, 0.8], [0.0, 0.0]]


def test_identities_have_length_one_and_strangers_a_small_cosine() -> None:
    vectors = identities().vectors
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(PEOPLE))
    cosine = vectors @ vectors.T
    np.fill_diagonal(cosine, np.nan)
    assert np.nanmedian(cosine) == pytest.approx(SPEC.common + SPEC.sex / 2, abs=0.06)


def test_an_utterance_lies_as_near_to_its_person_as_its_quality_says() -> None:
    embeddings, quality, made = observed(SPEC, np.repeat(np.arange(PEOPLE), 5))
    assert embeddings.dtype == np.float32
    own = np.einsum("ij,ij->i", embeddings, made.vectors[np.repeat(np.arange(PEOPLE), 5)])
    assert np.corrcoef(own, quality)[0, 1] > 0.9
    assert own.mean() == pytest.approx(SPEC.clean_similarity, abs=0.04)
    assert own.std() == pytest.approx(SPEC.clean_spread, abs=0.04)
    assert quality.min() >= 0.02
    assert quality.max() <= 0.93


def test_a_family_is_alike() -> None:
    nearest = []
    for spec in (replace(SPEC, family_share=0.0), SPEC):
        vectors = identities(spec).vectors
        nearest.append(np.sort((vectors @ vectors.T - 2 * np.eye(PEOPLE)).max(axis=1)))
    assert nearest[1][-PEOPLE // 4 :].mean() > nearest[0][-PEOPLE // 4 :].mean() + 0.05

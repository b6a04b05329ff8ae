"""The audio encoder that ships with the package."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from torch import nn

from avsieve.encoders.audio import BUILTIN_FILE, load_audio_encoder
from avsieve.encoders.checkpoint import resolve
from avsieve.storage.provenance import sha256_of
from avsieve.synthetic.voices.corpus import person_voice
from avsieve.synthetic.voices.person import sample_channel, synthesise


@pytest.fixture(scope="module")
def encoder() -> nn.Module:
    return load_audio_encoder("ecapa_small", "builtin")


def embed(encoder: nn.Module, waves: list[np.ndarray]) -> np.ndarray:
    with torch.no_grad():
        found = torch.cat([encoder(torch.from_numpy(w)[None]) for w in waves])
    return torch.nn.functional.normalize(found).numpy()


def test_it_is_small_and_its_provenance_is_its_own() -> None:
    path = resolve("builtin", BUILTIN_FILE)
    facts = json.loads(path.with_suffix(".json").read_text())
    assert path.stat().st_size < 1_200_000
    assert facts["sha256"] == sha256_of(path)
    assert facts["voices"]["population"] == 2, "the demo's people are population 1"
    assert facts["measured"]["eer_all_percent"] < 3


def test_it_tells_people_apart_that_it_never_heard(encoder: nn.Module) -> None:
    waves = [
        synthesise(
            person_voice(5, person),
            sample_channel(np.random.default_rng([5, person, video])),
            3.0,
            np.random.default_rng([5, person, video, 1]),
        )[0]
        for person in range(10)
        for video in range(2)
    ]
    scores = embed(encoder, waves) @ embed(encoder, waves).T
    np.fill_diagonal(scores, -1)
    assert (scores.argmax(axis=1) // 2 == np.arange(20) // 2).sum() >= 18


@pytest.mark.real
def test_it_hears_a_difference_between_real_people_too(encoder: nn.Module, real_dir: Path) -> None:
    """Nothing real was in its training: this only shows that synthetic voices are like real ones in what matters."""
    people = sorted((real_dir / "voices").iterdir())[:12]
    waves = [soundfile.read(sorted(p.iterdir())[0], dtype="float32")[0] for p in people]
    halves = [w[:32_000] for w in waves], [w[-32_000:] for w in waves]
    scores = embed(encoder, halves[0]) @ embed(encoder, halves[1]).T
    assert np.diag(scores).mean() > scores.mean() + 0.2

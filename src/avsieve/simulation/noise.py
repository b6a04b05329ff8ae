"""What goes wrong: label noise of the kinds that audio-visual corpora have, unevenly spread over speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.simulation.settings import NoiseSpec

KINDS = ("clean", "video", "audio", "visual")


@dataclass
class Truth:
    """Who is really heard and seen, as indices of people (n,), and the kind of each utterance (n,) in `KINDS`."""

    audio: np.ndarray
    visual: np.ndarray
    kind: np.ndarray


def draw_noise(
    speaker: np.ndarray, video: np.ndarray, spec: NoiseSpec, likeness: np.ndarray, inside: int, rng: np.random.Generator
) -> Truth:
    """Decide which utterances are wrong, how, and whose they are.

    Parameters
    ----------
    speaker, video
        Labels (n,) as indices; videos belong to one speaker each and are numbered throughout.
    likeness
        Cosines between people (inside, people), the mean of both modalities; the first ``inside`` people are labels.
    """
    n, people = len(speaker), likeness.shape[1]
    rates = _speaker_rates(np.bincount(speaker, minlength=inside), spec, rng)
    kind = np.zeros(n, np.int8)
    other = np.arange(0)
    owner = np.full(int(video.max()) + 1, -1)
    owner[video] = speaker
    kinds = [spec.whole_video, spec.audio_only, spec.visual_only]
    shares = np.array([*kinds, max(0.0, 1 - sum(kinds))])
    # Whole videos first, then single utterances in what is left, so that the wanted share of utterances is met.
    bad_video = rng.random(len(owner)) < rates[owner] * shares[0]
    kind[bad_video[video]] = 1
    left = kind == 0
    p = rates[speaker] * (1 - shares[0]) / np.maximum(1 - rates[speaker] * shares[0], 1e-9)
    hit = left & (rng.random(n) < p)
    single = np.array([2, 3, 4], np.int8)
    if hit.any():  # the shares of single utterances may all be 0
        kind[hit] = rng.choice(single, size=int(hit.sum()), p=shares[1:] / shares[1:].sum())
    other_of_video = np.array([_other(s, spec, likeness, inside, people, rng) for s in owner])
    other = other_of_video[video]
    for i in np.flatnonzero(kind >= 2):
        other[i] = _other(speaker[i], spec, likeness, inside, people, rng)
    audio, visual = speaker.copy(), speaker.copy()
    wrong_audio, wrong_visual = np.isin(kind, (1, 2, 4)), np.isin(kind, (1, 3, 4))
    audio[wrong_audio], visual[wrong_visual] = other[wrong_audio], other[wrong_visual]
    kind[kind == 4] = 1
    return Truth(audio, visual, kind)


def _speaker_rates(sizes: np.ndarray, spec: NoiseSpec, rng: np.random.Generator) -> np.ndarray:
    rates = rng.beta(spec.rate * spec.evenness + 1e-9, (1 - spec.rate) * spec.evenness, size=len(sizes))
    # Scale to the wanted rate, without pushing anybody past 0.95.
    for _ in range(20):
        mean = (rates * sizes).sum() / sizes.sum()
        rates = np.minimum(rates * spec.rate / max(mean, 1e-12), 0.95)
    return rates


def _other(s: int, spec: NoiseSpec, likeness: np.ndarray, inside: int, people: int, rng: np.random.Generator) -> int:
    outside = rng.random() < spec.outside and people > inside
    first, last = (inside, people) if outside else (0, inside)
    if rng.random() < spec.similar:
        row = likeness[s, first:last].copy()
        if not outside:
            row[s] = -np.inf
        top = np.argsort(row)[-5:]
        return first + int(rng.choice(top))
    while (pick := int(rng.integers(first, last))) == s:
        pass
    return pick

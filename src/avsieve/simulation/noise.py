"""What goes wrong: label noise of the kinds that audio-visual corpora have, unevenly spread over speakers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from avsieve.simulation.settings import NoiseSpec

KINDS = ("clean", "video", "audio", "visual")


@dataclass
class Truth:
    """Who is really heard and seen, as indices of people (n,), and the kind of each utterance (n,) in `KINDS`.

    ``own_voice`` (n,) is the label's share in a voice that mixes two: 0 where it does not.
    """

    audio: np.ndarray
    visual: np.ndarray
    kind: np.ndarray
    own_voice: np.ndarray

    def take(self, rows: np.ndarray) -> Truth:
        """Return the truth of ``rows``."""
        return Truth(self.audio[rows], self.visual[rows], self.kind[rows], self.own_voice[rows])


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
    options = rng.spawn(1)[0]  # what is off by default draws from here, and changes nothing else
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
    interviewers = np.array([_other(s, spec, likeness, inside, people, options) for s in range(inside)])
    one_stranger = (options.random(inside) < spec.interviewed)[speaker]
    other[one_stranger] = interviewers[speaker[one_stranger]]
    for shown, who in (_halves(owner, spec, likeness, options), _hosted(owner, spec, people, options)):
        kind[shown[video]] = 1
        other = np.where(shown[video], who[video], other)
    audio, visual = speaker.copy(), speaker.copy()
    wrong_audio, wrong_visual = np.isin(kind, (1, 2, 4)), np.isin(kind, (1, 3, 4))
    audio[wrong_audio], visual[wrong_visual] = other[wrong_audio], other[wrong_visual]
    kind[kind == 4] = 1
    mixed = (kind == KINDS.index("audio")) & (options.random(n) < spec.mixed)
    # Two voices at about the same level: with less of either the clip would be one person's.
    own_voice = np.where(mixed, options.uniform(0.3, 0.7, size=n), 0.0)
    return Truth(audio, visual, kind, own_voice)


def copied_videos(video: np.ndarray, kind: np.ndarray, spec: NoiseSpec, rng: np.random.Generator) -> np.ndarray:
    """Tell which videos are uploaded again, (videos,) bool: those that are wrong as a whole, and some right ones."""
    if spec.copies == 1:
        return np.zeros(int(video.max()) + 1, bool)
    size = np.bincount(video)
    wrong, right = (np.bincount(video, weights=kind == KINDS.index(k)) for k in ("video", "clean"))
    return (wrong == size) | ((right == size) & (rng.random(len(size)) < spec.right_copied))


def _halves(
    owner: np.ndarray, spec: NoiseSpec, likeness: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return which videos are the second person's of a label, (videos,) bool, and who that is, (videos,)."""
    inside, people = likeness.shape
    shown, who = np.zeros(len(owner), bool), np.zeros(len(owner), int)
    if not spec.halves:
        return shown, who
    for s in rng.permutation(inside)[: round(spec.halves * inside)]:
        own = rng.permutation(np.flatnonzero(owner == s))
        second = own[: len(own) // 2]
        shown[second], who[second] = True, _other(s, spec, likeness, inside, people, rng)
    return shown, who


def _hosted(owner: np.ndarray, spec: NoiseSpec, people: int, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Return which videos show the host, (videos,) bool, and who that is, (videos,): the last of all people."""
    host = people - 1
    return (rng.random(len(owner)) < spec.host) & (owner != host), np.full(len(owner), host)


def _speaker_rates(sizes: np.ndarray, spec: NoiseSpec, rng: np.random.Generator) -> np.ndarray:
    rates = rng.beta(spec.rate * spec.evenness + 1e-9, (1 - spec.rate) * spec.evenness, size=len(sizes))
    # Scale to the wanted rate, without pushing anybody past 0.95.
    for _ in range(20):
        mean = (rates * sizes).sum() / sizes.sum()
        rates = np.minimum(rates * spec.rate / max(mean, 1e-12), 0.95)
    return rates


def _other(s: int, spec: NoiseSpec, likeness: np.ndarray, inside: int, people: int, rng: np.random.Generator) -> int:
    outside = (rng.random() < spec.outside or inside == 1) and people > inside
    first, last = (inside, people) if outside else (0, inside)
    if rng.random() < spec.similar:
        row = likeness[s, first:last].copy()
        if not outside:
            row[s] = -np.inf
        top = np.argsort(row)[-5:]
        top = top[np.isfinite(row[top])]  # among five speakers the label itself would be one of its own lookalikes
        return first + int(rng.choice(top))
    while (pick := int(rng.integers(first, last))) == s:
        pass
    return pick

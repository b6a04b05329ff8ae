"""The simulated corpus: embeddings of both modalities, labels, and the truth kept aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from avsieve.simulation.noise import KINDS, Truth, copied_videos, draw_noise
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.simulation.world import Identities, unit

# Utterances that are made at a time: the numbers on their way take several times what is kept of them.
AT_ONCE = 1 << 17
# Cosine of a clip with itself after another compression.
COPY_SIMILARITY = 0.985


@dataclass
class SimulatedCorpus:
    """A corpus as `simulate` makes it.

    ``plan`` has ``utterance``, ``speaker``, ``video``, ``subset``, ``seconds``; ``truth`` has ``utterance``,
    ``speaker``, ``kind`` (``clean``, ``video``, ``audio``, ``visual``), ``audio_of`` and ``visual_of``. Embeddings are
    (n, dim) float32 in the order of the plan; ``audio_quality`` and ``visual_quality`` (n,) are what the simulator
    knows and a real encoder does not, kept for tests.
    """

    plan: pd.DataFrame
    truth: pd.DataFrame
    audio: np.ndarray
    visual: np.ndarray


def person_name(index: int, speakers: int) -> str:
    """Return the name of a person: ``id00012`` inside the set, ``outside00003`` outside."""
    return f"id{index:05d}" if index < speakers else f"outside{index - speakers:05d}"


def simulate(world: WorldSpec, noise: NoiseSpec, seed: int = 0) -> SimulatedCorpus:
    """Make a corpus; equal arguments give equal bytes."""
    rng = np.random.default_rng(seed)
    options = rng.spawn(1)[0]  # what is off by default draws from here, and changes nothing else
    people = world.speakers + world.outsiders
    sex = rng.integers(2, size=people)
    audio = Identities(world.audio, people, world.family_size, sex, rng, world.domains)
    visual = Identities(world.visual, people, world.family_size, sex, rng, world.domains)
    speaker, video, number = _layout(world, rng)
    inside = world.speakers
    likeness = (audio.vectors[:inside] @ audio.vectors.T + visual.vectors[:inside] @ visual.vectors.T) / 2
    truth = draw_noise(speaker, video, noise, likeness, inside, rng)
    owner = np.full(int(video.max()) + 1, 0)
    owner[video] = speaker
    domain = domains_of_videos(owner, world, options)
    factors = _quality_factors(len(owner), world, options)
    embeddings = []
    for name, identities, person in (("audio", audio, truth.audio), ("visual", visual, truth.visual)):
        channel, shift = identities.channels(len(owner), rng)
        seen = _View(identities, channel, shift, factors[name], domain)
        embeddings.append(seen.observe(person, video, rng))
        if name == "audio":
            _mix_voices(embeddings[0], seen, speaker, video, truth, options)
    copied = copied_videos(video, truth.kind, noise, options)
    if copied.any():
        rows, again, video = _with_copies(speaker, video, copied, noise.copies)
        speaker, number, truth = speaker[rows], number[rows], truth.take(rows)
        embeddings = [_compressed(e[rows], again, options) for e in embeddings]
    names = np.array([person_name(i, inside) for i in range(people)])
    ids = [f"{names[s]}/v{v:07d}/{u:05d}" for s, v, u in zip(speaker, video, number, strict=True)]
    seconds = [f"{4 + 12 * x:.3f}" for x in rng.beta(1.2, 4.0, len(ids))]
    plan = pd.DataFrame({"utterance": ids, "speaker": names[speaker], "video": [i.rsplit("/", 1)[0] for i in ids]})
    plan = plan.assign(subset="train", seconds=seconds)
    table = plan[["utterance", "speaker"]].assign(
        kind=np.array(KINDS)[truth.kind], audio_of=names[truth.audio], visual_of=names[truth.visual]
    )
    return SimulatedCorpus(plan, table, embeddings[0], embeddings[1])


@dataclass
class _View:
    """How one modality looks in each video: channels (videos, dim), and shift, factor and domain (videos,)."""

    identities: Identities
    channel: np.ndarray
    shift: np.ndarray
    factor: np.ndarray
    domain: np.ndarray

    def observe(self, person: np.ndarray, video: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Return embeddings (n, dim) of ``person`` (n,) in ``video`` (n,)."""
        found = []
        for begin in range(0, max(1, len(video)), AT_ONCE):
            who, where = person[begin : begin + AT_ONCE], video[begin : begin + AT_ONCE]
            of_video = {"factor": self.factor[where], "domain": self.domain[where]}
            found.append(self.identities.observe(who, self.channel[where], self.shift[where], rng, **of_video)[0])
        return np.concatenate(found)


def domains_of_videos(owner: np.ndarray, world: WorldSpec, rng: np.random.Generator) -> np.ndarray:
    """Return the domain of each video, (videos,): everybody has their own share of each, none below a fifth."""
    shares = rng.dirichlet(np.full(world.domains, 2.0), size=world.speakers)
    shares = 0.2 / world.domains + 0.8 * shares
    return (rng.random(len(owner))[:, None] > np.cumsum(shares, axis=1)[owner, :-1]).sum(axis=1)


def _quality_factors(videos: int, world: WorldSpec, rng: np.random.Generator) -> dict[str, np.ndarray]:
    """Return per modality what is left of the quality in each video, (videos,): 1 where it is not hard."""
    hard = rng.random(videos) < world.hard_share
    which = rng.integers(3, size=videos)  # voice, face, both
    factor = np.where(hard, world.hard_quality, 1.0)
    return {"audio": np.where(which != 1, factor, 1.0), "visual": np.where(which != 0, factor, 1.0)}


def _mix_voices(
    voices: np.ndarray, seen: _View, speaker: np.ndarray, video: np.ndarray, truth: Truth, rng: np.random.Generator
) -> None:
    """Mix the label's own voice into those of ``voices`` (n, dim) that the truth says are mixed."""
    rows = np.flatnonzero(truth.own_voice)
    if not len(rows):
        return
    share = truth.own_voice[rows, None]
    voices[rows] = unit(share * seen.observe(speaker[rows], video[rows], rng) + (1 - share) * voices[rows])


def _with_copies(
    speaker: np.ndarray, video: np.ndarray, copied: np.ndarray, copies: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the rows of a corpus with copied videos, whether each is a copy, and its video, (m,) each.

    Copies come after the speaker's other videos, under numbers of their own.
    """
    rows, again, videos = [np.arange(len(video))], [np.zeros(len(video), bool)], [video]
    source = np.flatnonzero(copied[video])
    new = np.cumsum(copied)[video[source]] - 1
    for copy in range(copies - 1):
        rows.append(source)
        again.append(np.ones(len(source), bool))
        videos.append(len(copied) + copy * int(copied.sum()) + new)
    row = np.concatenate(rows)
    order = np.argsort(speaker[row], kind="stable")
    return row[order], np.concatenate(again)[order], np.concatenate(videos)[order]


def _compressed(embeddings: np.ndarray, again: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Return embeddings (n, dim) with those of copies moved a little."""
    dim = embeddings.shape[1]
    noise = rng.standard_normal((int(again.sum()), dim)) * np.sqrt((1 / COPY_SIMILARITY**2 - 1) / dim)
    moved = embeddings.astype(np.float32)
    moved[again] = unit(moved[again] + noise)
    return moved


def _layout(world: WorldSpec, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw videos of speakers and utterances of videos; return speaker, video and number in the video, (n,) each."""
    videos = 2 + rng.negative_binomial(3, 3 / (3 + max(world.videos_per_speaker - 2, 0.1)), size=world.speakers)
    if world.equal_videos:
        videos[:] = max(1, round(world.videos_per_speaker))
    videos[rng.random(world.speakers) < world.one_video_share] = 1
    owner = np.repeat(np.arange(world.speakers), videos)
    size = 1 + rng.negative_binomial(2, 2 / (2 + max(world.utterances_per_video - 1, 0.1)), size=len(owner))
    video = np.repeat(np.arange(len(owner)), size)
    number = np.arange(len(video)) - np.repeat(np.cumsum(size) - size, size) + 1
    return owner[video], video, number

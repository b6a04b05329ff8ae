"""The simulated corpus: embeddings of both modalities, labels, and the truth kept aside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from avsieve.simulation.noise import KINDS, draw_noise
from avsieve.simulation.settings import NoiseSpec, WorldSpec
from avsieve.simulation.world import Identities


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
    people = world.speakers + world.outsiders
    sex = rng.integers(2, size=people)
    audio = Identities(world.audio, people, world.family_size, sex, rng)
    visual = Identities(world.visual, people, world.family_size, sex, rng)
    speaker, video, number = _layout(world, rng)
    inside = world.speakers
    likeness = (audio.vectors[:inside] @ audio.vectors.T + visual.vectors[:inside] @ visual.vectors.T) / 2
    truth = draw_noise(speaker, video, noise, likeness, inside, rng)
    embeddings = []
    for identities, person in ((audio, truth.audio), (visual, truth.visual)):
        channel, shift = identities.channels(int(video.max()) + 1, rng)
        embeddings.append(identities.observe(person, channel[video], shift[video], rng)[0])
    names = np.array([person_name(i, inside) for i in range(people)])
    ids = [f"{names[s]}/v{v:07d}/{u:05d}" for s, v, u in zip(speaker, video, number, strict=True)]
    seconds = [f"{4 + 12 * x:.3f}" for x in rng.beta(1.2, 4.0, len(ids))]
    plan = pd.DataFrame({"utterance": ids, "speaker": names[speaker], "video": [i.rsplit("/", 1)[0] for i in ids]})
    plan = plan.assign(subset="train", seconds=seconds)
    table = plan[["utterance", "speaker"]].assign(
        kind=np.array(KINDS)[truth.kind], audio_of=names[truth.audio], visual_of=names[truth.visual]
    )
    return SimulatedCorpus(plan, table, embeddings[0], embeddings[1])


def _layout(world: WorldSpec, rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Draw videos of speakers and utterances of videos; return speaker, video and number in the video, (n,) each."""
    videos = 2 + rng.negative_binomial(3, 3 / (3 + max(world.videos_per_speaker - 2, 0.1)), size=world.speakers)
    videos[rng.random(world.speakers) < world.one_video_share] = 1
    owner = np.repeat(np.arange(world.speakers), videos)
    size = 1 + rng.negative_binomial(2, 2 / (2 + max(world.utterances_per_video - 1, 0.1)), size=len(owner))
    video = np.repeat(np.arange(len(owner)), size)
    number = np.arange(len(video)) - np.repeat(np.cumsum(size) - size, size) + 1
    return owner[video], video, number

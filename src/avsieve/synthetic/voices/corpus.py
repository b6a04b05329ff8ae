"""Speech of synthetic people as a tar of wavs and a training list, to train the shipped audio encoder on."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from avsieve.lists.train_list import write_train_list
from avsieve.runtime.progress import progress
from avsieve.storage.indexed_tar import TarWriter
from avsieve.storage.wav import wav_bytes
from avsieve.synthetic.voices.person import VoiceIdentity, sample_channel, sample_voice, synthesise


@dataclass(frozen=True)
class VoiceCorpus:
    """Size of the voice corpus.

    Parameters
    ----------
    entropy
        First number of every seed: 1 is the demo's, so its people never meet these.
    people
        Number of voices, women and men in turn.
    videos, utterances
        Recording conditions of each person, and utterances in each of them.
    seconds
        Length of an utterance.
    """

    entropy: int
    people: int
    videos: int
    utterances: int
    seconds: float


def person_voice(entropy: int, person: int) -> VoiceIdentity:
    """Return voice number ``person`` of the population ``entropy``: even numbers are women."""
    return sample_voice(np.random.default_rng([entropy, person]), "fm"[person % 2])


def write_voices(corpus: VoiceCorpus, tar: Path, train_list: Path) -> None:
    """Write ``tar`` with its index, and the list of its utterances; equal settings give equal bytes."""
    utterances: list[str] = []
    with TarWriter(tar) as shard:
        for person in progress(range(corpus.people), "voices"):
            voice = person_voice(corpus.entropy, person)
            for video in range(corpus.videos):
                channel = sample_channel(np.random.default_rng([corpus.entropy, person, video, 0]))
                for number in range(corpus.utterances):
                    rng = np.random.default_rng([corpus.entropy, person, video, 1 + number])
                    wave, _ = synthesise(voice, channel, corpus.seconds, rng)
                    utterance = f"{voice.sex}{person:05d}/v{video:02d}/{number + 1:05d}"
                    shard.add(utterance, f"{utterance}.wav", wav_bytes(np.round(wave * 32767).astype(np.int16)))
                    utterances.append(utterance)
    write_train_list(train_list, utterances, [f"{corpus.seconds:.3f}"] * len(utterances))

"""How well a training does on speakers of its own list that it is not trained on; never on the test trials.

Which speakers these are, and which of their utterances are compared, is the same for every kind of network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np

from avsieve.errors import ConfigError
from avsieve.evaluation.metrics import eer, error_rates
from avsieve.evaluation.scoring import settle
from avsieve.storage.ids import parse_id

if TYPE_CHECKING:
    from lightning_fabric import Fabric
    from torch import nn

    from avsieve.training.encoder.settings import EncoderTraining

KEEP = ("last", "best")
MAX_VIDEOS, MAX_UTTERANCES = 10, 4000


@dataclass(frozen=True)
class Watch:
    """What is kept out of a training to watch it.

    Parameters
    ----------
    share
        Share of the speakers that are kept out; 0 for none.
    every
        Steps between two measurements; the last step is always measured.
    keep
        Whose weights are written: those of the ``last`` step, or of the ``best``, with the lowest equal error rate.
    """

    share: float
    every: int
    keep: str

    @classmethod
    def of(cls, settings: EncoderTraining) -> Watch:
        """Return what the settings keep out."""
        return cls(settings.validation, settings.validate_every, settings.keep)

    def __post_init__(self) -> None:
        if not 0 <= self.share < 1 or self.every < 1:
            raise ConfigError(
                f"validation: a share of {self.share} every {self.every} steps; expected a share from 0 to below 1, "
                f"and at least 1 step"
            )
        if self.keep not in KEEP:
            raise ConfigError(f"keep: {self.keep!r} is not known; expected {' or '.join(KEEP)}")
        if self.keep == "best" and not self.share:
            raise ConfigError(
                "keep best: the best step is found by validation only; set validation to a share of the speakers"
            )


def is_held(speaker: str, share: float) -> bool:
    """Tell whether a speaker is kept out: a hash of the name, the same in every list, run and machine."""
    digest = hashlib.blake2b(speaker.encode(), digest_size=8, person=b"validation").digest()
    return int.from_bytes(digest, "little") < share * 2**64


class Measuring(Protocol):
    """What measures a network on its way."""

    watch: Watch

    def eer(self, fabric: Fabric, network: nn.Module) -> float:
        """Return the equal error rate of ``network``, the same in every process."""


class Labelled(Protocol):
    """Utterances, how many speakers they have, and the rank of each one's speaker, (N,) int64."""

    @property
    def utterances(self) -> Sequence[str]:
        """Their ids."""

    labels: np.ndarray
    classes: int


def check_split(held: int, names: int, share: float) -> None:
    """Refuse to hold ``held`` of so many speakers out, if two cannot be compared there, or two trained on.

    Raises
    ------
    ConfigError
        Telling the numbers.
    """
    if min(held, names - held) < 2:
        raise ConfigError(
            f"validation: a share of {share:g} holds out {held} of {names} speakers; expected at least 2 "
            "there, and 2 to train on: choose another share"
        )


def first_of_videos(listed: Labelled) -> list[int]:
    """Return one utterance a video, and at most `MAX_VIDEOS` videos a speaker, in the order of the list.

    Which ones does not depend on the others in the list, but for the cut at `MAX_UTTERANCES` altogether.
    """
    at_most = max(2, min(MAX_VIDEOS, MAX_UTTERANCES // listed.classes))
    found: dict[str, dict[str, int]] = {}
    for index in np.argsort(np.array(list(listed.utterances))).tolist():
        name = parse_id(listed.utterances[index])
        videos = found.setdefault(name.speaker, {})
        if name.video in videos or len(videos) < at_most:
            videos.setdefault(name.video, index)
    return sorted(index for videos in found.values() for index in videos.values())


def pair_cosines(vectors: np.ndarray) -> np.ndarray:
    """Return the cosines (N, N) float32 of all pairs of rows (N, D); what differs by rounding only is made equal."""
    unit = vectors.astype(np.float64)
    unit /= np.maximum(np.linalg.norm(unit, axis=1, keepdims=True), np.finfo(np.float64).tiny)
    return settle(unit @ unit.T)


class PairsOfVideos:
    """All pairs of different videos of the speakers kept out, one utterance a video.

    Parameters
    ----------
    listed
        Their utterances.

    Attributes
    ----------
    picked
        The utterances that are compared, as places in the list.

    Raises
    ------
    ConfigError
        If no speaker has two videos.
    """

    def __init__(self, listed: Labelled) -> None:
        self.picked = first_of_videos(listed)
        labels = listed.labels[self.picked]
        # One utterance a video, so two of them are always of different videos.
        self._rows, self._columns = np.triu_indices(len(labels), 1)
        self._target = labels[self._rows] == labels[self._columns]
        if not self._target.any():
            raise ConfigError(
                f"validation: none of the {listed.classes} speakers held out has two videos; expected at least one: "
                "choose another share"
            )

    def eer(self, vectors: np.ndarray) -> float:
        """Return the equal error rate of the embeddings (N, D) of the utterances picked, whatever their length."""
        scores = pair_cosines(vectors)[self._rows, self._columns]
        return eer(error_rates(scores, self._target), "nearest")  # as AVCleanse has it

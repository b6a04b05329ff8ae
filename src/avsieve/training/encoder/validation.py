"""How well a training does on speakers of its own list that it is not trained on; never on the test trials."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from avsieve.errors import ConfigError
from avsieve.evaluation.metrics import eer, error_rates
from avsieve.evaluation.scoring import settle
from avsieve.storage.ids import parse_id
from avsieve.training.devices import gathered, layout_of
from avsieve.training.encoder.examples import Listed
from avsieve.training.encoder.settings import EncoderTraining

Part = TypeVar("Part", bound=Listed)
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


def split(listed: Part, share: float) -> tuple[Part, Part]:
    """Return the utterances to train on, and those of the speakers kept out.

    Raises
    ------
    ConfigError
        If either would have fewer than two speakers.
    """
    names = set(listed.speakers)
    held = {name for name in names if is_held(name, share)}
    if min(len(held), len(names) - len(held)) < 2:
        raise ConfigError(
            f"validation: a share of {share:g} holds out {len(held)} of {len(names)} speakers; expected at least 2 "
            "there, and 2 to train on: choose another share"
        )
    return listed.of_speakers(names - held), listed.of_speakers(held)


def first_of_videos(listed: Listed) -> list[int]:
    """Return one utterance a video, and at most `MAX_VIDEOS` videos a speaker, in the order of the list.

    Which ones does not depend on the others in the list, but for the cut at `MAX_UTTERANCES` altogether.
    """
    at_most = max(2, min(MAX_VIDEOS, MAX_UTTERANCES // listed.classes))
    found: dict[str, dict[str, int]] = {}
    for index in np.argsort(np.array(listed.utterances)).tolist():
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


class Validation:
    """The equal error rate over all pairs of different videos of the speakers kept out.

    Parameters
    ----------
    listed
        Their utterances.
    inputs
        ``inputs(index)`` returns what the encoder takes for an utterance, always of the same shape.
    watch
        When, and what to keep.
    batch
        Utterances embedded at once.

    Raises
    ------
    ConfigError
        If no speaker has two videos.
    """

    def __init__(self, listed: Listed, inputs: Callable[[int], Tensor], watch: Watch, *, batch: int = 32) -> None:
        self.watch, self.speakers = watch, listed.classes
        self._inputs, self._batch = inputs, batch
        self.picked = first_of_videos(listed)
        labels = listed.labels[self.picked]
        # One utterance a video, so two of them are always of different videos.
        self._rows, self._columns = np.triu_indices(len(labels), 1)
        self._target = labels[self._rows] == labels[self._columns]
        if not self._target.any():
            raise ConfigError(
                f"validation: none of the {self.speakers} speakers held out has two videos; expected at least one: "
                "choose another share"
            )

    def eer(self, fabric: Fabric, encoder: nn.Module) -> float:
        """Return the equal error rate of ``encoder``, the same in every process; each embeds its part."""
        mine = list(range(fabric.global_rank, len(self.picked), fabric.world_size))
        embedded = mine or [0]  # a process without any finds the width of the embeddings
        training = encoder.training
        encoder.eval()
        parts: list[Tensor] = []
        with torch.no_grad(), fabric.autocast():
            for start in range(0, len(embedded), self._batch):
                inputs = torch.stack([self._inputs(self.picked[i]) for i in embedded[start : start + self._batch]])
                inputs = inputs.to(fabric.device, memory_format=layout_of(fabric.device, inputs.dim()))
                parts.append(F.normalize(encoder(inputs).float()))
        encoder.train(training)
        found = torch.zeros(len(self.picked), parts[0].shape[1], device=fabric.device)
        found[mine] = torch.cat(parts)[: len(mine)]
        whole = gathered(fabric, found).sum(dim=0).cpu().numpy()
        scores = pair_cosines(whole)[self._rows, self._columns]
        return eer(error_rates(scores, self._target), "nearest")  # as AVCleanse has it

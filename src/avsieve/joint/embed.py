"""Embed the utterances of the trials with a joint model, as they are and damaged."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from avsieve.encoders.device import PRECISIONS
from avsieve.evaluation.conditions.table import DamageTable
from avsieve.evaluation.trials import Trials, left_out, read_trials
from avsieve.fusion.checkpoint import left_out as not_trained
from avsieve.joint.checkpoint import TrainedJoint, load_joint
from avsieve.joint.embedded import Found, Origin, write_embedded, write_origin
from avsieve.joint.pairs import Pair, needed_pairs
from avsieve.joint.signal_batches import SignalItems
from avsieve.joint.signals import Signals
from avsieve.lists.layouts import read_corpus_list
from avsieve.runtime.progress import progress

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class SignalFiles:
    """Shards of the utterances as they are, and of their damaged versions."""

    wav: Sequence[Path]
    faces: Sequence[Path]
    damaged_wav: Sequence[Path] = ()
    damaged_faces: Sequence[Path] = ()

    def open(self) -> Signals:
        """Open all of them: ids of versions are no ids of utterances."""
        return Signals([*self.wav, *self.damaged_wav], [*self.faces, *self.damaged_faces])


def embed_trials(
    model: Path,
    trials: Sequence[Path],
    files: SignalFiles,
    out: Path,
    *,
    damage: Path | None,
    cohort: Path | None,
    device: torch.device,
    precision: str = "fp32",
    batch: int = 32,
) -> str:
    """Embed all that the evaluation of some lists asks for; what the model is is told beside the table.

    A pair of which neither signal can be read has a row without embeddings.

    Parameters
    ----------
    model
        A file of `train_joint`.
    trials, damage, cohort
        As the evaluation is given them.
    files
        Where the signals lie.
    out
        Table to write (`avsieve.joint.embedded`).
    device, precision
        Where, and in which arithmetic.
    batch
        Utterances embedded at once.

    Returns
    -------
    What was done, in words.
    """
    if reason := not_trained(model):
        name, list_name, seed = _of_path(model)
        write_embedded(out, iter(()), {})
        write_origin(out, Origin(name, list_name, seed, [], left_out=reason))
        return f"{model}: was not trained: {reason}"
    found = load_joint(model, device)
    lists: list[Trials] = [read_trials(path) for path in trials if left_out(path) is None]
    names = read_corpus_list(cohort)["utterance"].tolist() if cohort is not None else []
    pairs = needed_pairs(lists, None if damage is None else DamageTable(damage), names)
    began = time.monotonic()
    with files.open() as signals:
        batches = _embedded(found, signals, pairs, device, precision, batch)
        rows = write_embedded(out, batches, dict(zip(found.kind.parts, found.network.widths, strict=True)))
    took = time.monotonic() - began
    write_origin(
        out,
        Origin(found.kind.name, found.trained_on, found.seed, found.speakers, round(took / max(1, rows), 6)),
    )
    return f"{found.kind.name} ({found.trained_on}): {rows} pairs of a voice and faces in {took:.1f} s"


def _embedded(
    model: TrainedJoint, signals: Signals, pairs: list[Pair], device: torch.device, precision: str, batch: int
) -> Iterator[Found]:
    own, kind, lost = model.own, PRECISIONS[precision], 0
    reading = model.kind.reading(own, model.channels, training=False)
    items = SignalItems(signals, pairs, reading, batch=batch, max_missing=1.0)
    with torch.inference_mode(), torch.autocast(device.type, kind, enabled=kind is not None):
        for rows, signal in progress(items.read(), "embedded", total=len(items)):
            found = model.network.embed(signal.to(device, non_blocking=True))
            parts = [(part.float().cpu().numpy(), there.cpu().numpy()) for part, there in found]
            lost += int((~np.logical_or.reduce([there for _, there in parts])).sum())
            yield [pairs[row] for row in rows.tolist()], parts
    if lost:
        logger.warning("%d of %d pairs have neither a voice nor a face that can be read", lost, len(pairs))


def _of_path(model: Path) -> tuple[str, str, int]:
    """Return model, list and seed of a path ``…/LIST/MODEL.SEED.safetensors``."""
    name, _, seed = model.stem.rpartition(".")
    return name, model.parent.name, int(seed)

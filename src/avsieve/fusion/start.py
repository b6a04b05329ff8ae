"""Begin a fusion network at weights that its authors published, and account for every tensor of the file.

A network says which of its layers take which published ones (`avsieve.fusion.published_layout`); its own names, as a
model of ours has them, are known without that. Rows of a classifier carry no names, so they are taken only
where there are as many as the list has speakers and, in the order of the speakers' ids, they know most of the list's
utterances; else they are left out, which is told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from avsieve.encoders.published import read_published
from avsieve.errors import ModelError
from avsieve.fusion.inputs import Inputs
from avsieve.fusion.losses import SoftmaxLoss, SumOfLosses
from avsieve.fusion.neural import NeuralFusion
from avsieve.storage.provenance import sha256_of

logger = logging.getLogger(__name__)

_KNOWS = 0.5  # share of the utterances that a classifier names rightly, where its rows are in the order of the list's
_ASKED, _BATCH = 10_000, 1024  # utterances it is asked, at most, and at a time
# Of every network here: whether unit vectors are centred, which published heads do not; and a count.
_OWN = ("audio_standard.mean", "visual_standard.mean")


def begin_at(network: NeuralFusion, path: str | Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Load published weights into a network.

    Returns
    -------
    The classifier of the file, ``weight`` and ``bias``, empty where there is none; and what provenance tells of the
    file: ``sha256``, ``kind`` and what its authors stored beside the weights.

    Raises
    ------
    ModelError
        If the file cannot be read without running it, or a tensor is missing, unknown or of another shape.
    """
    found = read_published(path)
    state, layout = network.state_dict(), network.published
    given: dict[str, Tensor] = {}
    classifier: dict[str, Tensor] = {}
    unknown, by_own_names = [], False
    for name, tensor in found.tensors.items():
        if layout.passes_over(name):
            continue
        if within := layout.of_classifier(name):
            classifier[within] = tensor
            continue
        targets = layout.targets(name)
        if not targets and name in state:
            targets, by_own_names = [name], True
        if not targets or any(target not in state for target in targets):
            unknown.append(name)
            continue
        for target in targets:
            if state[target].shape != tensor.shape:
                raise ModelError(
                    f"{path}: {name} has the shape {tuple(tensor.shape)}, expected {tuple(state[target].shape)} for "
                    f"embeddings of {network.audio_dim} (audio) and {network.visual_dim} (visual) and a fused length "
                    f"of {network.dim}; embed with the encoders that the weights were trained on, and set "
                    f"{_joined(layout.settings)} of {network.name} as there"
                )
            given[target] = tensor
    missing = [key for key in state if key not in given and key not in _OWN and not key.endswith("num_batches_tracked")]
    if missing or unknown:
        # In the words of the file.
        lacks = list(dict.fromkeys(key if by_own_names else layout.source(key) for key in missing))
        told = {"lacks": lacks, "has beside them": unknown}
        words = "; ".join(f"{verb} {_listed(names)}" for verb, names in told.items() if names)
        raise ModelError(
            f"{path}: not the weights of {network.name} ({found.kind or 'a state dict'} of {len(found.tensors)} "
            f"tensors): it {words}; name the model that they are of, and set its {_joined(layout.settings)} as there"
        )
    network.load_state_dict({**state, **given})
    return classifier, {
        "sha256": sha256_of(Path(path)),
        "kind": found.kind,
        "stored": dict(sorted(found.facts.items())),
    }


def _joined(names: Sequence[str]) -> str:
    *first, last = names
    return f"{', '.join(first)} and {last}" if first else last


def _listed(names: list[str], most: int = 5) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def begin_classifier(
    network: NeuralFusion, head: SumOfLosses, classifier: dict[str, Tensor], inputs: Inputs, rows: np.ndarray,
    labels: np.ndarray,
) -> str:  # fmt: skip
    """Load the rows of a published classifier, where they fit the list's speakers.

    Parameters
    ----------
    network, head
        The network with its weights, and its losses, on one device.
    classifier
        ``weight`` (C, dim) and ``bias`` (C,), as `begin_at` returned them.
    rows, labels
        The training utterances that can be used, and the class of each.

    Returns
    -------
    What became of it, in words.
    """
    weight = classifier.get("weight")
    own = dict(head.losses.items()).get("ce")
    if weight is None:
        told = "the file has no classifier"
    elif not isinstance(own, SoftmaxLoss):
        told = f"{len(weight):,} classifier rows left out: the loss has no cross entropy"
    elif classifier.keys() != {"weight", "bias"} or weight.shape != own.output.weight.shape:
        told = f"{len(weight):,} classifier rows left out: the list has {len(own.output.weight):,} speakers"
    else:
        before = {name: tensor.clone() for name, tensor in own.output.state_dict().items()}
        own.output.load_state_dict(classifier)
        share = _known(network, own, inputs, rows, labels)
        if share >= _KNOWS:
            told = f"{len(weight):,} classifier rows taken: they know {share:.1%} of the list's utterances"
        else:
            own.output.load_state_dict(before)
            told = f"{len(weight):,} classifier rows left out: they know {share:.1%} of the list's utterances"
    logger.info("%s: %s", network.name, told)
    return told


@torch.inference_mode()
def _known(network: NeuralFusion, loss: SoftmaxLoss, inputs: Inputs, rows: np.ndarray, labels: np.ndarray) -> float:
    """Return the share of the utterances, an even choice, whose speaker the classifier names."""
    was_training = network.training
    network.eval()
    step = max(1, -(-len(rows) // _ASKED))
    rows, labels = rows[::step], labels[::step]
    right = 0
    for begin in range(0, len(rows), _BATCH):
        asked = rows[begin : begin + _BATCH]
        named = loss.output(network(*network.batch(inputs, asked, asked))).argmax(dim=1).cpu().numpy()
        right += int((named == labels[begin : begin + _BATCH]).sum())
    network.train(was_training)
    return right / len(rows)

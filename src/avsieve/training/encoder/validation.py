"""How well a training does on speakers of its own list that it is not trained on; never on the test trials."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch
import torch.nn.functional as F
from lightning_fabric import Fabric
from torch import Tensor, nn

from avsieve.training.devices import gathered, layout_of
from avsieve.training.listed import ListedUtterances
from avsieve.training.validation import PairsOfVideos, Watch, check_split, is_held

Part = TypeVar("Part", bound=ListedUtterances)


def split(listed: Part, share: float) -> tuple[Part, Part]:
    """Return the utterances to train on, and those of the speakers kept out.

    Raises
    ------
    ConfigError
        If either would have fewer than two speakers.
    """
    names = set(listed.speakers)
    held = {name for name in names if is_held(name, share)}
    check_split(len(held), len(names), share)
    return listed.of_speakers(names - held), listed.of_speakers(held)


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

    def __init__(
        self, listed: ListedUtterances, inputs: Callable[[int], Tensor], watch: Watch, *, batch: int = 32
    ) -> None:
        self.watch, self.speakers = watch, listed.classes
        self._inputs, self._batch = inputs, batch
        self._pairs = PairsOfVideos(listed)
        self.picked = self._pairs.picked

    def eer(self, fabric: Fabric, network: nn.Module) -> float:
        """Return the equal error rate of ``network``, the same in every process; each embeds its part."""
        mine = list(range(fabric.global_rank, len(self.picked), fabric.world_size))
        embedded = mine or [0]  # a process without any finds the width of the embeddings
        training = network.training
        network.eval()
        parts: list[Tensor] = []
        with torch.no_grad(), fabric.autocast():
            for start in range(0, len(embedded), self._batch):
                inputs = torch.stack([self._inputs(self.picked[i]) for i in embedded[start : start + self._batch]])
                inputs = inputs.to(fabric.device, memory_format=layout_of(fabric.device, inputs.dim()))
                parts.append(F.normalize(network(inputs).float()))
        network.train(training)
        found = torch.zeros(len(self.picked), parts[0].shape[1], device=fabric.device)
        found[mine] = torch.cat(parts)[: len(mine)]
        whole = gathered(fabric, found).sum(dim=0).cpu().numpy()
        return self._pairs.eer(whole)

"""Learning rates that differ from one part of a network to another.

A network that is trained at several rates has a method ``rates``, which names its parts with a factor on the rate of
the schedule. Bahounek (thesis, FIT VUT Brno, 2024) trains encoders and head together so, with lower rates for the
encoders.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

import torch
from torch import nn

from avsieve.errors import ModelError

Part = str | Iterable[nn.Parameter]


@runtime_checkable
class Rated(Protocol):
    """A network with learning rates of its own."""

    def rates(self) -> Sequence[tuple[Part, float]]:
        """Return parts and the factor on the rate of each, above 0.

        A part is the name of a parameter or of a module with all that is in it, or the parameters themselves. Every
        parameter that is trained is in one part.
        """


def rate_groups(network: nn.Module, criterion: nn.Module) -> list[dict[str, Any]]:
    """Return the groups of an optimiser: ``params``, and the ``factor`` that `set_rates` multiplies the rate with.

    The criterion has the rate of the schedule, and so has a network that does not say otherwise.

    Raises
    ------
    ModelError
        If a parameter is in no part or in two, a part has none, or a factor is not above 0.
    """
    own = [p for p in criterion.parameters() if p.requires_grad]
    names = {p: name for name, p in network.named_parameters() if p.requires_grad}
    if not isinstance(network, Rated):
        return [{"params": [*names, *own], "factor": 1.0}]
    groups: list[dict[str, Any]] = []
    seen: set[nn.Parameter] = set()
    for part, factor in network.rates():
        if not factor > 0:
            raise ModelError(f"rates: the factor of {_told(part)} is {factor}; expected a number above 0")
        found = [p for p in _parameters(network, part) if p.requires_grad]
        if not found:
            raise ModelError(f"rates: {_told(part)} has no parameter that is trained; expected a part of the network")
        for parameter in found:
            if parameter not in names:
                raise ModelError(f"rates: {_told(part)} is no part of the network")
            if parameter in seen:
                raise ModelError(f"rates: the parameter {names[parameter]} is in two parts; expected it in one")
            seen.add(parameter)
        groups.append({"params": found, "factor": float(factor)})
    if missing := [name for p, name in names.items() if p not in seen]:
        raise ModelError(f"rates: the parameter {missing[0]} is in no part; expected every one in one part")
    return [*groups, {"params": own, "factor": 1.0}] if own else groups


def set_rates(optimiser: torch.optim.Optimizer, rate: float) -> None:
    """Give each group the rate of a step times its factor."""
    for group in optimiser.param_groups:
        group["lr"] = rate * group.get("factor", 1.0)


def _parameters(network: nn.Module, part: Part) -> list[nn.Parameter]:
    if not isinstance(part, str):
        return list(part)
    return [p for name, p in network.named_parameters() if name == part or name.startswith(f"{part}.")]


def _told(part: Part) -> str:
    return repr(part) if isinstance(part, str) else "a group of parameters"

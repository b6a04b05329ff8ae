from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import nn

from avsieve.errors import ModelError
from avsieve.training.optimisation import Optimiser
from avsieve.training.rates import Part, rate_groups, set_rates


class Two(nn.Module):
    """An encoder and a head, at the rates that a test wants."""

    def __init__(self, rates: Sequence[tuple[str | list[str], float]]) -> None:
        super().__init__()
        self.encoder, self.head = nn.Linear(2, 2), nn.Linear(2, 2)
        self.wanted = rates

    def rates(self) -> Sequence[tuple[Part, float]]:
        named = dict(self.named_parameters())
        return [(part if isinstance(part, str) else [named[name] for name in part], f) for part, f in self.wanted]


def test_a_step_of_a_group_is_scaled_by_its_factor() -> None:
    torch.manual_seed(0)
    network, criterion = Two([("encoder", 0.1), (["head.weight"], 2.0), ("head.bias", 1.0)]), nn.Linear(2, 2)
    optimiser = Optimiser("momentum", 0.0, 0.0).build(rate_groups(network, criterion))
    set_rates(optimiser, 0.5)
    parameters = [*network.named_parameters(), *criterion.named_parameters(prefix="criterion")]
    before = {name: p.detach().clone() for name, p in parameters}
    for _, p in parameters:
        p.grad = torch.ones_like(p)
    optimiser.step()
    moved = {name: (before[name] - p.detach()).mean().item() for name, p in parameters}
    assert moved == pytest.approx(
        {
            "encoder.weight": 0.05, "encoder.bias": 0.05, "head.weight": 1.0, "head.bias": 0.5,
            "criterion.weight": 0.5, "criterion.bias": 0.5,
        },
        rel=1e-5,
    )  # fmt: skip


def test_a_network_that_says_nothing_has_one_group() -> None:
    network, criterion = nn.Linear(2, 2), nn.Linear(2, 3)
    network.bias.requires_grad_(False)
    (group,) = rate_groups(network, criterion)
    assert group["factor"] == 1.0
    assert [p.shape for p in group["params"]] == [(2, 2), (3, 2), (3,)]


@pytest.mark.parametrize(
    ("rates", "message"),
    [
        ([("encoder", 1.0), ("head.weight", 1.0)], "the parameter head.bias is in no part; expected every one in one"),
        ([("encoder", 1.0), ("head", 1.0), (["head.bias"], 1.0)], "the parameter head.bias is in two parts"),
        ([("encoder", 1.0), ("hea", 1.0)], "'hea' has no parameter that is trained"),
        ([("encoder", 0.0), ("head", 1.0)], "the factor of 'encoder' is 0.0; expected a number above 0"),
    ],
)
def test_a_parameter_is_in_one_part(rates: list[tuple[str | list[str], float]], message: str) -> None:
    with pytest.raises(ModelError, match=message):
        rate_groups(Two(rates), nn.Linear(2, 2))


def test_parameters_of_something_else_are_refused() -> None:
    class Foreign(nn.Linear):
        def rates(self) -> list[tuple[Part, float]]:
            return [([nn.Parameter(torch.ones(1))], 1.0)]

    with pytest.raises(ModelError, match="a group of parameters is no part of the network"):
        rate_groups(Foreign(2, 2), nn.Linear(2, 2))

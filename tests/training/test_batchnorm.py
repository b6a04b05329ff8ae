from __future__ import annotations

import threading

import pytest
import torch
from torch import Tensor, distributed, nn

from avsieve.encoders.registry import build
from avsieve.encoders.visual import VISUAL
from avsieve.training import batchnorm
from avsieve.training.batchnorm import SharedBatchNorm, shared_statistics


class Meeting:
    """Two threads as two processes: an all-reduce waits for both."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.barrier = threading.Barrier(2, timeout=20)
        self.brought: dict[int, Tensor] = {}
        monkeypatch.setattr(distributed, "is_initialized", lambda: True)
        monkeypatch.setattr(distributed, "get_world_size", lambda: 2)
        monkeypatch.setattr(batchnorm.distributed, "all_reduce", self.all_reduce)

    def all_reduce(self, tensor: Tensor) -> None:
        self.brought[threading.get_ident()] = tensor.clone()
        self.barrier.wait()
        total = torch.stack([self.brought[key] for key in sorted(self.brought)]).sum(dim=0)
        self.barrier.wait()
        tensor.copy_(total)


@pytest.mark.parametrize("shape", [(8, 3), (8, 3, 5), (8, 3, 5, 4)])
def test_two_halves_are_normalised_as_the_whole_and_so_are_their_gradients(
    shape: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    kind = {2: nn.BatchNorm1d, 3: nn.BatchNorm1d, 4: nn.BatchNorm2d}[len(shape)]
    whole = kind(3).double().train()
    nn.init.normal_(whole.weight)
    x, weights = 5 + 2 * torch.randn(shape).double(), torch.randn(shape).double()
    wanted = x.clone().requires_grad_()
    expected = whole(wanted)
    halves = []
    for _ in range(2):
        holder = nn.Sequential(kind(3).double().train())
        holder[0].load_state_dict(
            whole.state_dict() | {"running_mean": torch.zeros(3).double(), "running_var": torch.ones(3).double()}
        )
        shared_statistics(holder)
        halves.append(holder[0])
    (expected * weights).sum().backward()
    meeting, results = Meeting(monkeypatch), {}

    def work(rank: int) -> None:
        part = x[4 * rank : 4 * rank + 4].clone().requires_grad_()
        found = halves[rank](part)
        (found * weights[4 * rank : 4 * rank + 4]).sum().backward()
        results[rank] = (found.detach(), part.grad)

    # On a CPU, backward runs in the thread that asks for it, so the two meet there as well.
    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert meeting.brought
    close = {"rtol": 1e-9, "atol": 1e-12}
    torch.testing.assert_close(torch.cat([results[0][0], results[1][0]]), expected.detach(), **close)
    torch.testing.assert_close(torch.cat([results[0][1], results[1][1]]), wanted.grad, **close)
    torch.testing.assert_close(halves[0].weight.grad + halves[1].weight.grad, whole.weight.grad, **close)
    for half in halves:
        torch.testing.assert_close(half.running_mean, whole.running_mean, **close)
        torch.testing.assert_close(half.running_var, whole.running_var, **close)


@pytest.mark.parametrize("first", [0, 3, 7])
def test_processes_may_bring_different_numbers_of_rows_or_none(first: int, monkeypatch: pytest.MonkeyPatch) -> None:
    torch.manual_seed(0)
    x, whole = 5 + 2 * torch.randn(8, 3), nn.BatchNorm1d(3).train()
    wanted = x.clone().requires_grad_()
    expected = whole(wanted)
    expected.square().mul(torch.arange(8.0)[:, None]).sum().backward()
    Meeting(monkeypatch)
    results = {}

    def work(rank: int) -> None:
        rows = slice(0, first) if rank == 0 else slice(first, 8)
        part, norm = x[rows].clone().requires_grad_(), SharedBatchNorm(3).train()
        found = norm(part)
        found.square().mul(torch.arange(8.0)[rows, None]).sum().backward()
        results[rank] = (found.detach(), part.grad, norm)

    threads = [threading.Thread(target=work, args=(rank,)) for rank in range(2)]
    [t.start() for t in threads]
    [t.join() for t in threads]
    assert wanted.grad is not None
    torch.testing.assert_close(torch.cat([results[0][0], results[1][0]]), expected.detach())
    torch.testing.assert_close(torch.cat([results[0][1], results[1][1]]), wanted.grad, rtol=1e-4, atol=1e-4)
    for *_, norm in results.values():
        torch.testing.assert_close(norm.running_mean, whole.running_mean)
        torch.testing.assert_close(norm.running_var, whole.running_var)


def test_a_network_keeps_its_keys_its_frozen_parameters_and_its_outputs() -> None:
    network = build(VISUAL, "iresnet18").eval()
    keys, faces = list(network.state_dict()), torch.randn(1, 3, 112, 112)
    frozen = [name for name, p in network.named_parameters() if not p.requires_grad]
    with torch.no_grad():
        before = network(faces)
        shared_statistics(network)
        after = network(faces)
    assert sum(isinstance(m, SharedBatchNorm) for m in network.modules()) > 20
    assert list(network.state_dict()) == keys
    assert [name for name, p in network.named_parameters() if not p.requires_grad] == frozen
    assert torch.equal(before, after)


def test_alone_it_is_pytorchs() -> None:
    torch.manual_seed(0)
    plain, shared = nn.BatchNorm1d(4), SharedBatchNorm(4)
    x = torch.randn(6, 4, 9)
    assert torch.equal(plain(x), shared(x))
    assert torch.equal(plain.running_var, shared.running_var)

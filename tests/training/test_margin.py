from __future__ import annotations

import math

import pytest
import torch
import torch.nn.functional as F

from avsieve.errors import ConfigError
from avsieve.training.margin import AAMSoftmax


def by_angles(criterion: AAMSoftmax, embeddings: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Compute the loss with the angles themselves, for angles that stay below pi - margin."""
    angles = torch.acos(F.normalize(embeddings.double()) @ F.normalize(criterion.weight.double()).T)
    angles[torch.arange(len(labels)), labels] += criterion.margin
    return F.cross_entropy(criterion.scale * torch.cos(angles), labels)


def test_the_loss_is_that_of_the_shifted_angles() -> None:
    torch.manual_seed(0)
    criterion = AAMSoftmax(16, 5, margin=0.3, scale=20)
    embeddings, labels = torch.randn(12, 16), torch.arange(12) % 5
    assert criterion(embeddings, labels).item() == pytest.approx(
        by_angles(criterion, embeddings, labels).item(), rel=1e-5
    )


def test_the_margin_can_be_warmed_up() -> None:
    torch.manual_seed(0)
    criterion = AAMSoftmax(8, 3, margin=0.0, scale=10)
    embeddings, labels = torch.randn(6, 8), torch.tensor([0, 1, 2, 0, 1, 2])
    plain = F.cross_entropy(10 * criterion.cosines(embeddings), labels)
    assert criterion(embeddings, labels).item() == pytest.approx(plain.item(), rel=1e-6)
    losses = []
    for margin in (0.0, 0.1, 0.2, 0.4):
        criterion.set_margin(margin)
        losses.append(criterion(embeddings, labels).item())
    assert losses == sorted(losses)


def test_an_embedding_opposite_to_its_centre_still_gets_a_higher_loss_for_a_larger_angle() -> None:
    criterion = AAMSoftmax(2, 2, margin=0.5, scale=1)
    with torch.no_grad():
        criterion.weight.copy_(torch.tensor([[1.0, 0.0], [0.0, 1.0]]))
    angles = torch.linspace(2.0, math.pi, 20)
    logits = [criterion.cosines(torch.stack([a.cos(), a.sin()])[None]) for a in angles]
    others = torch.zeros(1, 2)
    losses = [criterion.loss(torch.cat([c[:, :1], others[:, 1:]], 1), torch.tensor([0])).item() for c in logits]
    assert losses == sorted(losses)


def test_the_nearest_subcentre_counts() -> None:
    criterion = AAMSoftmax(2, 2, margin=0.0, scale=1, subcenters=2)
    with torch.no_grad():
        criterion.weight.copy_(torch.tensor([[1.0, 0.0], [-1.0, 0.0], [0.0, 1.0], [0.0, -1.0]]))
    assert torch.allclose(criterion.cosines(torch.tensor([[-3.0, 0.0]])), torch.tensor([[1.0, 0.0]]))


def test_the_loss_is_float32_under_autocast_and_its_gradient_is_finite_at_the_centre() -> None:
    criterion = AAMSoftmax(4, 3, margin=0.2, scale=30)
    embeddings = criterion.weight.detach().clone().requires_grad_()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        loss = criterion(embeddings, torch.arange(3))
    loss.backward()
    assert loss.dtype == torch.float32
    assert embeddings.grad is not None
    assert torch.isfinite(embeddings.grad).all()


@pytest.mark.parametrize(("subcenters", "top_k"), [(1, 1), (1, 3), (3, 2)])
def test_the_nearest_other_classes_seem_nearer_by_the_penalty(subcenters: int, top_k: int) -> None:
    torch.manual_seed(0)
    criterion = AAMSoftmax(
        16, 7, margin=0.3, scale=20, subcenters=subcenters, top_k=top_k, top_penalty=0.1
    )  # fmt: skip
    embeddings, labels = torch.randn(9, 16), torch.arange(9) % 7
    # Written out, one embedding and one class at a time.
    centres = F.normalize(criterion.weight.detach().double()).numpy().reshape(7, subcenters, 16)
    losses = []
    for vector, label in zip(F.normalize(embeddings.double()).numpy(), labels.tolist(), strict=True):
        angles = [min(math.acos(float(c @ vector)) for c in own) for own in centres]
        others = sorted((angle, j) for j, angle in enumerate(angles) if j != label)
        penalised = {j for _, j in others[:top_k]}
        moved = [a + 0.3 if j == label else a - 0.1 * (j in penalised) for j, a in enumerate(angles)]
        logits = [20 * math.cos(a) for a in moved]
        losses.append(math.log(sum(math.exp(x) for x in logits)) - logits[label])
    assert criterion(embeddings, labels).item() == pytest.approx(sum(losses) / 9, rel=1e-5)


def test_the_penalty_rises_with_the_margin_and_moves_the_network() -> None:
    torch.manual_seed(0)
    plain, penalised = (AAMSoftmax(8, 4, margin=0.0, scale=30, top_k=top_k, top_penalty=0.06) for top_k in (0, 2))
    penalised.load_state_dict(plain.state_dict())
    embeddings, labels = torch.randn(6, 8), torch.tensor([0, 1, 2, 3, 0, 1])
    losses = []
    for risen in (0.0, 0.5, 1.0):
        penalised.set_margin(0.0, risen)
        losses.append(penalised(embeddings, labels).item())
    assert losses[0] == plain(embeddings, labels).item()
    assert losses == sorted(set(losses))
    penalised(embeddings, labels).backward()
    plain(embeddings, labels).backward()
    assert penalised.weight.grad is not None
    assert torch.isfinite(penalised.weight.grad).all()
    assert not torch.allclose(penalised.weight.grad, plain.weight.grad)


def test_classes_that_are_left_out_take_their_subcentres_along() -> None:
    criterion = AAMSoftmax(4, 6, margin=0.2, scale=30, subcenters=2)
    before = criterion.weight.detach().clone()
    criterion.keep_classes(2, 3)
    assert torch.equal(criterion.weight, before[4:10])
    assert criterion.cosines(torch.randn(5, 4)).shape == (5, 3)


@pytest.mark.parametrize(
    "options",
    [
        {"top_k": 3},
        {"top_k": -1},
        {"top_penalty": 2.0},
        {"classes": 1},
        {"margin": -0.1},
        {"margin": 2.0},
        {"scale": 0},
        {"subcenters": 0},
    ],
)
def test_values_that_cannot_work_are_refused(options: dict) -> None:
    with pytest.raises(ConfigError, match="expected"):
        AAMSoftmax(**{"dim": 4, "classes": 3, "margin": 0.2, "scale": 30, **options})

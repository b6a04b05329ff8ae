import numpy as np
import pytest
import torch
import torch.nn.functional as F

from avsieve.fusion.losses import AMSoftmax, CentreLoss, SoftmaxLoss, SumOfLosses
from avsieve.training.margin import AAMSoftmax

EMBEDDINGS = torch.tensor([[3.0, 0.0], [0.0, 0.5], [1.0, 1.0]])
LABELS = torch.tensor([0, 1, 1])
UPRIGHT = torch.eye(2)


def test_the_margin_of_am_is_taken_from_the_cosine_of_the_true_class():
    loss = AMSoftmax(2, 2, margin=0.3, scale=4.0)
    loss.weight.data.copy_(UPRIGHT)
    half = 2**-0.5
    cosines = torch.tensor([[1.0 - 0.3, 0.0], [0.0, 1.0 - 0.3], [half, half - 0.3]])
    torch.testing.assert_close(loss(EMBEDDINGS, LABELS), F.cross_entropy(4.0 * cosines, LABELS))


def test_without_a_margin_am_and_aam_are_one():
    am, aam = (kind(2, 2, margin=0.0, scale=4.0) for kind in (AMSoftmax, AAMSoftmax))
    am.weight.data.copy_(aam.weight.data)
    torch.testing.assert_close(am(EMBEDDINGS, LABELS), aam(EMBEDDINGS, LABELS))


def test_the_cross_entropy_sees_the_length_of_embeddings_and_has_the_published_classifier():
    loss = SoftmaxLoss(2, 2)
    loss.output.weight.data.copy_(UPRIGHT)
    torch.testing.assert_close(loss(EMBEDDINGS, LABELS), F.cross_entropy(EMBEDDINGS, LABELS))
    assert sum(p.numel() for p in SoftmaxLoss(1024, 1211).parameters()) == 1_241_275


def test_the_centre_loss_is_half_the_squared_distance_of_unit_vectors_and_moves_its_centres():
    loss = CentreLoss(2, 2)
    loss.centres.data.copy_(torch.tensor([[1.0, 0.0], [0.0, 3.0]]))
    apart = 2**-0.5
    expected = (0.0 + 4.0 + apart**2 + (3 - apart) ** 2) / 2 / 3
    assert loss(EMBEDDINGS, LABELS).item() == pytest.approx(expected)
    loss(EMBEDDINGS, LABELS).backward()
    assert loss.centres.grad[1].abs().sum() > 0


def test_a_sum_weighs_its_losses():
    loss = SumOfLosses({"ce": 0.6, "centre": 0.4}, 2, 2, scale=1.0)
    parts = [loss.losses[name](EMBEDDINGS, LABELS) for name in ("ce", "centre")]
    torch.testing.assert_close(loss(EMBEDDINGS, LABELS), 0.6 * parts[0] + 0.4 * parts[1])


def test_the_margin_reaches_the_losses_that_have_one():
    loss = SumOfLosses({"ce": 1.0, "am": 1.0, "aam": 1.0}, 2, 2, scale=4.0)
    assert [part.margin for part in loss.with_margin] == [0.0, 0.0]
    before = loss(EMBEDDINGS, LABELS).item()
    loss.set_margin(0.2)
    assert [part.margin for part in loss.with_margin] == [0.2, 0.2]
    assert [part.scale for part in loss.with_margin] == [4.0, 4.0]
    assert loss(EMBEDDINGS, LABELS).item() > before


def test_centres_start_at_the_mean_of_their_utterances():
    loss = SumOfLosses({"aam": 1.0, "ce": 1.0}, 2, 2, scale=4.0)
    plain = loss.losses["ce"].output.weight.clone()
    loss.start_at(np.array([[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]), LABELS.numpy())
    torch.testing.assert_close(F.normalize(loss.losses["aam"].weight), UPRIGHT)
    torch.testing.assert_close(loss.losses["ce"].output.weight, plain)


@pytest.mark.parametrize("names", [["ce"], ["aam"], ["centre"], ["centre", "am"]])
def test_a_sum_counts_the_rows_that_are_taken_for_their_own_class(names):
    loss = SumOfLosses(dict.fromkeys(names, 1.0), 2, 2, scale=4.0)
    for name in names:
        part = loss.losses[name]
        weight = part.output.weight if name == "ce" else part.centres if name == "centre" else part.weight
        # Where there is another, the centre loss has no say.
        weight.data.copy_(UPRIGHT.flip(0) if name == "centre" and len(names) > 1 else UPRIGHT)
    total, hits = loss.judge(torch.tensor([[2.0, 0.1], [0.1, 2.0], [2.0, 0.1]]), LABELS)
    assert hits.item() == 2
    torch.testing.assert_close(total, loss(torch.tensor([[2.0, 0.1], [0.1, 2.0], [2.0, 0.1]]), LABELS))

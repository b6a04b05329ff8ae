import torch

from avsieve.fusion.missing import PresentNorm, close_gate, items_of, masked_softmax
from avsieve.fusion.stream_batch import StreamBatch

YES_NO = torch.tensor([True, True, False, False])
NO_YES = torch.tensor([True, False, True, False])


def test_a_gate_is_open_where_both_are_there_and_closed_to_what_is_missing():
    z = torch.full((4, 2), 0.3)
    expected = torch.tensor([[0.3, 0.3], [1.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    torch.testing.assert_close(close_gate(z, YES_NO, NO_YES), expected)
    torch.testing.assert_close(close_gate(z[:, :1], YES_NO, NO_YES), expected[:, :1])


def test_normalisation_is_that_of_the_present_rows_and_absent_ones_stay_zero():
    norm, plain = PresentNorm(3), torch.nn.BatchNorm1d(3)
    rows = torch.randn(4, 3, requires_grad=True)
    found = norm(rows, YES_NO)
    torch.testing.assert_close(found[:2], plain(rows[:2]))
    assert not found[2:].any()
    torch.testing.assert_close(norm.norm.running_var, plain.running_var)
    (found * torch.randn(4, 3)).sum().backward()
    assert rows.grad[:2].any()
    assert not rows.grad[2:].any()


def test_one_present_row_is_normalised_by_running_statistics_and_leaves_them():
    norm = PresentNorm(3)
    norm.norm.running_mean.fill_(2.0)
    found = norm(torch.ones(4, 3), torch.tensor([False, True, False, False]))
    torch.testing.assert_close(found[1], torch.full((3,), -1.0), atol=1e-4, rtol=0)
    assert (norm.norm.running_mean == 2.0).all()
    assert not norm(torch.ones(4, 3), torch.zeros(4, dtype=torch.bool)).any()


def test_weights_are_a_softmax_of_what_exists_and_none_falls_elsewhere():
    scores = torch.tensor([[1.0, 2.0, 9.0], [1.0, 2.0, 3.0], [5.0, 6.0, 7.0]], requires_grad=True)
    mask = torch.tensor([[True, True, False], [True, True, True], [False, False, False]])
    found = masked_softmax(scores, mask, dim=1)
    torch.testing.assert_close(found[0, :2], scores[0, :2].softmax(0))
    torch.testing.assert_close(found[1], scores[1].softmax(0))
    assert not found[2].any()
    assert found[0, 2] == 0
    (found * torch.randn(3, 3)).sum().backward()
    assert torch.isfinite(scores.grad).all()
    assert not scores.grad[2].any()


def test_an_embedding_without_a_sequence_is_a_sequence_of_one():
    pooled, present = torch.arange(1.0, 5.0)[:, None].repeat(1, 2), NO_YES
    items, mask = torch.full((4, 3, 2), 9.0), torch.zeros(4, 3, dtype=torch.bool)
    mask[0, :2] = True
    found, there = items_of(StreamBatch(pooled, present, items, mask))
    assert there.tolist() == [[True, True, False], [False] * 3, [True, False, False], [False] * 3]
    assert found[0].tolist() == items[0].tolist()
    assert found[2, 0].tolist() == [3.0, 3.0]


def test_a_batch_in_which_nobody_has_a_sequence_has_one_of_embeddings():
    batch = StreamBatch(torch.ones(4, 2), YES_NO, torch.zeros(4, 0, 2), torch.zeros(4, 0, dtype=torch.bool))
    found, there = items_of(batch)
    assert found.shape == (4, 1, 2)
    assert there[:, 0].tolist() == YES_NO.tolist()
    assert (found[YES_NO] == 1).all()

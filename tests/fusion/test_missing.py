import torch

from avsieve.fusion.missing import PresentNorm, close_gate

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

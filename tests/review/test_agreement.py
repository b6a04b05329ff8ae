from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from sklearn.metrics import cohen_kappa_score

from avsieve.review.agreement import agreement_lines, agreements, kappa, read_agreements
from avsieve.review.entry import Entry
from avsieve.review.log import ReviewLog


def test_kappa_is_cohen_s() -> None:
    # Cohen's measure of a table of 20, 5, 10, 15: observed 0.7, by chance 0.5.
    pairs = [("y", "y")] * 20 + [("y", "n")] * 5 + [("n", "y")] * 10 + [("n", "n")] * 15
    assert kappa(pairs) == pytest.approx(0.4)
    assert kappa([("y", "n"), ("n", "y")]) == pytest.approx(-1)
    assert kappa([("y", "y")] * 3) is None
    assert kappa([]) is None
    first, second = list("rrrwwwuurrwwrrrw"), list("rrwwwwurrrwwrurw")
    expected = pytest.approx(cohen_kappa_score(first, second))
    assert kappa(list(zip(first, second, strict=True))) == kappa(Counter(zip(first, second, strict=True))) == expected


def entries(*decisions: tuple[str, str]) -> list[Entry]:
    return [Entry(k, "ann", None, u, word) for k, (u, word) in enumerate(decisions, 1)]


def test_reviewers_are_compared_on_what_both_decided_by_right_wrong_and_unsure() -> None:
    ann = entries(("1", "right"), ("2", "wrong_voice"), ("3", "unsure"), ("4", "right"))
    bob = entries(("2", "wrong_clip"), ("3", "right"), ("4", "right"), ("5", "right"))
    (found,) = agreements({"bob": bob, "ann": ann})
    assert (found.first, found.second, found.clips, found.same) == ("ann", "bob", 3, 2)
    assert found.kappa == pytest.approx((2 / 3 - 3 / 9) / (1 - 3 / 9))
    assert agreement_lines([found]) == ["ann and bob: 2 of 3 clips alike, kappa 0.50"]


def test_with_oneself_it_is_about_clips_that_came_again_and_not_about_corrections() -> None:
    again = entries(("1", "right"), ("2", "wrong_clip"), ("2", "right"), ("3", "right"), ("1", "wrong_voice"))
    (found,) = agreements({"ann": again})
    assert found.with_oneself
    assert (found.clips, found.same) == (1, 0)
    assert agreement_lines([found]) == ["ann, asked again: 0 of 1 clips alike, kappa 0.00"]
    assert agreements({"ann": entries(("1", "right"), ("2", "right"))}) == []


def test_it_is_read_from_logs_without_what_was_taken_back(tmp_path: Path) -> None:
    ann, bob = ReviewLog(tmp_path, "ann"), ReviewLog(tmp_path, "bob")
    for name in ("a/v/1", "a/v/2"):
        ann.append(name, "right")
        bob.append(name, "right")
    bob.append("a/v/3", "wrong_clip")
    ann.append("a/v/3", "right")
    ann.undo()
    (found,) = read_agreements(tmp_path)
    assert (found.clips, found.same, found.kappa) == (2, 2, None)
    assert found.as_json() == {"first": "ann", "second": "bob", "clips": 2, "same": 2, "kappa": None}
    assert agreement_lines([found]) == ["ann and bob: 2 of 2 clips alike, kappa not defined"]

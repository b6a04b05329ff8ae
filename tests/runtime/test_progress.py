from __future__ import annotations

import logging
from collections.abc import Iterator

import pytest

from avsieve.runtime import progress as module
from avsieve.runtime.progress import progress


def test_without_a_terminal_a_line_is_logged_at_the_end(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert list(progress([1, 2, 3], "clips")) == [1, 2, 3]
    assert "clips: 3 done in" in caplog.text
    assert len(caplog.records) == 1


def test_now_and_then_it_tells_how_far_it_is_and_what_is_left(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    seconds = iter(range(0, 100, 4))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(seconds)))
    with caplog.at_level(logging.INFO):
        list(progress([1, 2, 3, 4], "clips", every_s=8.0))
    assert [record.getMessage() for record in caplog.records] == [
        "clips: 2 of 4, 0.2/s, 8 s left",
        "clips: 4 of 4, 0.2/s, 0 s left",
        "clips: 4 done in 20.0 s (0.2/s)",
    ]


def test_of_what_has_no_length_nothing_is_foretold(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def some() -> Iterator[int]:
        yield from (1, 2)

    seconds = iter(range(0, 100, 10))
    monkeypatch.setattr(module.time, "monotonic", lambda: float(next(seconds)))
    with caplog.at_level(logging.INFO):
        list(progress(some(), "clips"))
    assert caplog.records[0].getMessage() == "clips: 1 of ?, 0.1/s"


def test_on_a_terminal_it_is_a_bar(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, capsys) -> None:
    monkeypatch.setattr(module.sys.stderr, "isatty", lambda: True)
    with caplog.at_level(logging.INFO):
        assert list(progress([1, 2], "clips")) == [1, 2]
    assert not caplog.records

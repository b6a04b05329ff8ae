from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from avsieve.cli import main


@pytest.fixture
def avsieve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., int | str | None]:
    """Return a function that calls the command with words, as a user does, and returns its exit status."""

    def call(*words: object) -> int | str | None:
        monkeypatch.setattr(sys, "argv", ["avsieve", *map(str, words)])
        with pytest.raises(SystemExit) as stopped:
            main()
        return stopped.value.code

    return call

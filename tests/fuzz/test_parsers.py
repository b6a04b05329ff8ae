"""Whatever a file holds, a parser gives a value or an error of ours, in time and without taking the machine."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given

from avsieve.errors import AvsieveError
from avsieve.media.guard import Guard
from tests.fuzz.conftest import FUZZ
from tests.fuzz.mutations import files
from tests.fuzz.parsers import Parser, parsers

LONGEST_S = 10  # of the processor: the machine may have other work
LONGEST_MESSAGE = 5000
PARSERS = {parser.name: parser for parser in parsers()}


class HungError(BaseException):
    """A parser took too long."""


@pytest.fixture(autouse=True)
def alarm() -> Iterator[None]:
    def ring(_: int, frame: FrameType | None) -> None:
        raise HungError(f"more than {LONGEST_S} s, at {frame}")

    before = signal.signal(signal.SIGPROF, ring)
    yield
    signal.setitimer(signal.ITIMER_PROF, 0)
    signal.signal(signal.SIGPROF, before)


def outcome(name: str, path: Path) -> bool:
    """Tell whether a file is read by a parser."""
    return outcome_of(PARSERS[name].read, path)


def outcome_of(read: Callable[[Path], object], path: Path) -> bool:
    """Tell whether a file is read; any error that is none of ours is raised."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            read(path)
        except AvsieveError as error:
            if not 0 < len(str(error)) < LONGEST_MESSAGE:
                pytest.fail(f"a message of {len(str(error))} characters: {str(error)[:200]}")
            return False
    return True


def check(parser: Parser, path: Path, content: bytes, guard: Guard | None) -> None:
    path.write_bytes(content)
    if guard is not None:
        guard.run(partial(outcome, parser.name, path))
        return
    signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
    outcome(parser.name, path)
    signal.setitimer(signal.ITIMER_PROF, 0)


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_gives_a_value_or_an_error_of_ours(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    path = tmp_path / f"file{parser.suffix}"
    guard = Guard(1024, LONGEST_S, writes=True) if parser.isolated else None

    @FUZZ
    @given(files(parser.seeds()))
    def run(content: bytes) -> None:
        check(parser, path, content, guard)

    try:
        run()
    finally:
        if guard is not None:
            guard.close()


@pytest.mark.parametrize("name", PARSERS)
def test_the_files_that_are_changed_are_read_at_first(name: str, tmp_path: Path) -> None:
    """Else the fuzzing would stop at the first line of each parser."""
    parser = PARSERS[name]
    path = tmp_path / f"file{parser.suffix}"
    read = []
    for content in parser.seeds():
        path.write_bytes(content)
        read.append(outcome(name, path))
    assert any(read)

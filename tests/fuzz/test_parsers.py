"""Whatever a file holds, a parser gives a value or an error of ours, in time and without taking the machine."""

from __future__ import annotations

import random
import signal
import warnings
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path
from types import FrameType

import pytest
from hypothesis import given

from avsieve.errors import AvsieveError
from avsieve.media.guard import Guard, LostError
from tests.fuzz.conftest import BATCH, FUZZ, cases, try_each
from tests.fuzz.mutations import file_of
from tests.fuzz.parsers import parsers

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


@cache
def seeds_of(name: str) -> list[bytes]:
    return PARSERS[name].seeds()


def check(name: str, path: Path, numbers: range) -> None:
    def case(dice: random.Random) -> None:
        path.write_bytes(file_of(seeds_of(name), dice))
        signal.setitimer(signal.ITIMER_PROF, LONGEST_S)
        outcome(name, path)
        signal.setitimer(signal.ITIMER_PROF, 0)

    try_each(numbers, case)


def check_in(guard: Guard, name: str, path: Path, numbers: range) -> None:
    """Check in a process of its own; if that is lost, tell which case it was lost at."""
    try:
        guard.run(partial(check, name, path, numbers))
    except LostError:
        for number in numbers:
            try:
                guard.run(partial(check, name, path, range(number, number + 1)))
            except LostError as error:
                error.add_note(f"case {number}")
                raise
        raise


@pytest.mark.parametrize("name", PARSERS)
def test_a_parser_gives_a_value_or_an_error_of_ours(name: str, tmp_path: Path) -> None:
    parser = PARSERS[name]
    path = tmp_path / f"file{parser.suffix}"
    seeds_of(name)  # so that a guarded process, which has little memory, finds its libraries loaded
    guard = Guard(1024, LONGEST_S * BATCH, writes=True) if parser.isolated else None

    @FUZZ
    @given(cases)
    def run(numbers: range) -> None:
        if guard is not None:
            check_in(guard, name, path, numbers)
        else:
            check(name, path, numbers)

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

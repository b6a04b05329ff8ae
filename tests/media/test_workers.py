from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.decoded import Decoded
from avsieve.media.guard import Guard, LostError
from avsieve.media.settings import Limits
from avsieve.media.workers import Workers, decoded_by
from avsieve.storage.reasons import Reason

QUICK = Limits(time_s=0.3, memory_mb=256)


def slow_square(number: int) -> tuple[int, int]:
    time.sleep(0.02)
    return number * number, os.getpid()


def refuse(number: int) -> None:
    raise ValueError(f"no {number}")


def die(_: str, of: int) -> Decoded:
    os.kill(os.getpid(), of)
    return Decoded()


def hang(_: str) -> Decoded:
    time.sleep(60)
    return Decoded()


def bloat(_: str) -> Decoded:
    np.ones(1 << 28)
    return Decoded()


def write(_: str, path: Path) -> Decoded:
    path.write_bytes(b"anything")
    return Decoded()


def die_once(mark: Path) -> str:
    if mark.exists():
        mark.rmdir()  # no file can be written, but a folder can be taken away
        os.kill(os.getpid(), signal.SIGKILL)
    return "done"


def test_clips_are_worked_on_in_several_processes_none_of_them_this_one() -> None:
    with Workers(2, Limits()) as pool, ThreadPoolExecutor(2) as threads:
        found = list(threads.map(lambda n: pool.run(partial(slow_square, n)), range(20)))
    assert [square for square, _ in found] == [n * n for n in range(20)]
    assert len({pid for _, pid in found} - {os.getpid()}) == 2


def test_an_error_in_the_work_is_raised_here() -> None:
    with Workers(1, Limits()) as pool, pytest.raises(ValueError, match="no 3"):
        pool.run(partial(refuse, 3))


@pytest.mark.parametrize(
    ("decode", "arguments", "reason", "words"),
    [
        (die, (signal.SIGSEGV,), Reason.DECODER_CRASHED, "SIGSEGV"),
        (die, (signal.SIGABRT,), Reason.DECODER_CRASHED, "SIGABRT"),
        (hang, (), Reason.DECODING_TIMEOUT, "0.3 s"),
        (bloat, (), Reason.DECODING_MEMORY, "256 MB"),
    ],
)
def test_what_a_clip_does_to_the_decoder_is_its_row_and_the_next_clip_is_decoded(
    decode: Callable[..., Any], arguments: tuple[Any, ...], reason: Reason, words: str
) -> None:
    with Workers(1, QUICK) as pool:
        lost = decoded_by(pool, decode, "clip.mp4", *arguments)
        assert lost.code is reason
        assert words in lost.detail
        assert pool.run(partial(slow_square, 3))[0] == 9


def test_a_decoder_can_write_no_file(tmp_path: Path) -> None:
    with Workers(1, QUICK) as pool, pytest.raises(OSError, match="too large"):
        pool.run(partial(write, "clip.mp4", tmp_path / "written"))
    assert not (tmp_path / "written").exists() or not (tmp_path / "written").stat().st_size


def test_a_clip_is_tried_again_when_the_system_kills_its_process(tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    mark.mkdir()
    with Guard(256, 5) as guard:
        assert guard.run(partial(die_once, mark)) == "done"


def test_a_process_that_the_system_kills_each_time_is_no_fault_of_the_clip() -> None:
    with Workers(1, QUICK) as pool, pytest.raises(AvsieveError, match=r"clip\.mp4: .*out of memory.*memory_mb"):
        decoded_by(pool, die, "clip.mp4", signal.SIGKILL)


def test_what_a_process_has_started_ends_with_it(tmp_path: Path) -> None:
    with Guard(256, 0.5, writes=True) as guard, pytest.raises(LostError, match="given up after"):
        guard.run(partial(subprocess.run, ["sh", "-c", f"echo $$ > {tmp_path}/pid; sleep 60"]))
    pid = int((tmp_path / "pid").read_text())
    deadline = time.monotonic() + 5
    while Path(f"/proc/{pid}/stat").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < deadline
        time.sleep(0.01)


AFTER_THREADS = """
import sys
from functools import partial

import cv2
import numpy as np

from avsieve.media.settings import Limits
from avsieve.media.workers import Workers

cv2.setNumThreads(4)
cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (999, 999))
with Workers(2, Limits()) as pool:
    for _ in range(16):
        pool.run(partial(cv2.setNumThreads, 1))
"""


def test_opencv_can_be_set_up_anew_in_workers_of_a_process_that_used_its_threads() -> None:
    subprocess.run([sys.executable, "-c", AFTER_THREADS], check=True, timeout=30)

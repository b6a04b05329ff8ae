from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from functools import partial

import pytest

from avsieve.errors import AvsieveError
from avsieve.media.workers import in_processes


def slow_square(number: int) -> tuple[int, int]:
    time.sleep(0.02 if number % 7 else 0.1)
    return number * number, os.getpid()


def refuse(number: int) -> None:
    raise ValueError(f"no {number}")


def test_results_come_in_order_from_several_processes_this_one_among_them() -> None:
    found = list(in_processes((partial(slow_square, n) for n in range(40)), 2))
    assert [square for square, _ in found] == [n * n for n in range(40)]
    assert len({pid for _, pid in found}) == 2
    assert os.getpid() in {pid for _, pid in found}


def test_one_worker_is_this_process() -> None:
    assert {pid for _, pid in in_processes([partial(slow_square, n) for n in range(3)], 1)} == {os.getpid()}


def test_an_error_in_the_work_is_raised_here() -> None:
    with pytest.raises(ValueError, match=r"no [0-3]"):
        list(in_processes([partial(refuse, n) for n in range(4)], 2))


def die(number: int) -> int:
    if number == 5 and multiprocessing.parent_process() is not None:
        os.kill(os.getpid(), signal.SIGKILL)  # as the system does with the largest process when memory runs out
    time.sleep(0.01)
    return number


def test_a_worker_that_is_killed_ends_the_work_with_a_line_on_memory() -> None:
    told = r"one of 1 worker processes was killed, most likely for want of memory .*mem_mb.* What is finished is kept"
    with pytest.raises(AvsieveError, match=told):
        list(in_processes([partial(die, 5) for _ in range(16)], 2))


AFTER_THREADS = """
import sys
from functools import partial

import cv2
import numpy as np

from avsieve.errors import AvsieveError
from avsieve.media.workers import in_processes

cv2.setNumThreads(4)
cv2.resize(np.zeros((2000, 2000, 3), np.uint8), (999, 999))
list(in_processes([partial(cv2.setNumThreads, 1) for _ in range(64)], 2))
"""


def test_opencv_can_be_set_up_anew_in_workers_of_a_process_that_used_its_threads() -> None:
    subprocess.run([sys.executable, "-c", AFTER_THREADS], check=True, timeout=30)

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from avsieve.training.state import State
from avsieve.training.stopping import TERMINATED, told_when_stopped


@pytest.mark.parametrize("there", [True, False])
def test_a_training_whose_time_is_over_says_how_it_goes_on(tmp_path: Path, caplog, there: bool) -> None:
    checkpoint = tmp_path / "a.safetensors.resume"
    if there:
        checkpoint.touch()
    before = signal.getsignal(signal.SIGTERM)
    with pytest.raises(SystemExit) as ended, told_when_stopped(True, State(step=500), 9000, checkpoint):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not stopped")
    assert ended.value.code == TERMINATED == 143
    assert "stopped after step 500 of 9000" in caplog.text
    assert (f"it goes on from {checkpoint}" in caplog.text) == there
    assert ("it begins anew" in caplog.text) != there
    assert signal.getsignal(signal.SIGTERM) is before


def test_other_processes_end_without_a_word(caplog) -> None:
    with pytest.raises(SystemExit), told_when_stopped(False, State(), 1, None):
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError("not stopped")
    assert caplog.text == ""


def test_in_a_thread_signals_are_left_alone() -> None:
    inside = list[object]()

    def train() -> None:
        with told_when_stopped(True, State(), 1, None):
            inside.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=train)
    thread.start()
    thread.join()
    assert inside == [signal.getsignal(signal.SIGTERM)]

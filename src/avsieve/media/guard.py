"""Decoding in processes of their own: a clip that crashes, hangs or bloats a decoder costs its row, not the job.

A guarded process may not write to any file, has a limit of memory and, for each piece of work, one of time. It protects
from mistakes in decoders, not from an attacker who has taken one over: it is no sandbox (`docs/safety.md`).
"""

from __future__ import annotations

import faulthandler
import multiprocessing
import os
import resource
import signal
import stat
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TypeVar

from avsieve.errors import AvsieveError
from avsieve.storage.reasons import Reason

Item = TypeVar("Item")
_MB = 1 << 20
_STARTING = threading.Lock()  # else a process that starts meanwhile inherits the end of a pipe that is not its own


class LostError(Exception):
    """A piece of work was lost with its process, or was refused its memory; the message goes into the row."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(reason, detail)
        self.reason = reason
        self.detail = detail

    def __str__(self) -> str:
        """Return the detail."""
        return self.detail


def _end_with_parent() -> None:
    """End this process when the one that started it is gone, however it ended; nobody would take its results."""
    parent = multiprocessing.parent_process()
    if parent is None:
        return

    def watch() -> None:
        wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=watch, name="watch", daemon=True).start()


def _restrict(memory_mb: int, *, writes: bool) -> None:
    """Give this process its limits: memory on top of what it has, no files to write, and no core files."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    if not writes:  # pipes are not concerned
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        limit = pages * resource.getpagesize() + memory_mb * _MB
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def _let_go() -> None:
    """Close the files that came along in the fork: others may wait for their locks.

    Pipes stay: by one of them the parent sees that this process lives.
    """
    for link in Path("/proc/self/fd").iterdir() if sys.platform == "linux" else ():
        number = int(link.name)
        with suppress(OSError):  # that of the listing is closed already
            if number > 2 and stat.S_ISREG(os.fstat(number).st_mode):
                os.close(number)


def _serve(connection: Connection, memory_mb: int, writes: bool) -> None:
    faulthandler.disable()  # what died, and how, is told by the row
    os.setpgid(0, 0)  # whatever this process starts ends with it
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent ends it
    _end_with_parent()
    _let_go()
    _restrict(memory_mb, writes=writes)
    while True:
        try:
            work = connection.recv()
        except EOFError:
            return
        try:
            answer: tuple[bool, Any] = (True, work())
        except MemoryError:
            answer = (False, LostError(Reason.DECODING_MEMORY, f"it needs more than {memory_mb} MB"))
        except BaseException as error:  # noqa: BLE001 - handed over, and raised where the result is asked for
            answer = (False, error)
        try:
            connection.send(answer)
        except MemoryError:
            connection.send((False, LostError(Reason.DECODING_MEMORY, f"it needs more than {memory_mb} MB")))
        del work, answer


class Guard:
    """A process that runs calls, one at a time; where it dies the next call has another.

    Parameters
    ----------
    memory_mb
        Memory that a call may take, in MB.
    time_s
        Time that a call may take, in seconds by the clock.
    writes
        Let it write files.
    """

    def __init__(self, memory_mb: int, time_s: float, *, writes: bool = False) -> None:
        self._memory_mb = memory_mb
        self._time_s = time_s
        self._writes = writes
        # A fork starts at once. It takes no thread along, and the decoder needs none of those that there may be.
        self._context: Any = multiprocessing.get_context("fork" if sys.platform == "linux" else None)
        self._process: Any = None
        self._start()

    def _start(self) -> None:
        with _STARTING:
            self._connection, theirs = self._context.Pipe()
            self._process = self._context.Process(
                target=_serve, args=(theirs, self._memory_mb, self._writes), name="decoder", daemon=True
            )
            self._process.start()
            theirs.close()

    def run(self, work: Callable[[], Item]) -> Item:
        """Return what ``work`` returns, which must be picklable: a function of a module with its arguments.

        Raises
        ------
        LostError
            If it takes too much time or memory, or if the process crashes on it twice.
        AvsieveError
            If something outside kills the process twice, as systems do that are out of memory.
        BaseException
            What ``work`` raises.
        """
        for is_last in (False, True):
            status = self._try(work)
            if isinstance(status, tuple):
                done, result = status
                if not done:
                    raise result
                return result
            if status is None:
                raise LostError(Reason.DECODING_TIMEOUT, f"it was given up after {self._time_s:g} s")
            if is_last and status == -signal.SIGKILL:
                raise AvsieveError(
                    f"{_shown(work)}: the process that decodes it was killed twice, most likely because the machine or "
                    f"the job is out of memory; expected at most {self._memory_mb} MB (media.limits.memory_mb) for "
                    f"each of the job's threads: give the job more memory or fewer threads, or lower that limit"
                )
            if is_last:
                name = signal.Signals(-status).name if status < 0 else f"status {status}"
                raise LostError(Reason.DECODER_CRASHED, f"the decoder ended with {name}")
        raise AssertionError

    def _try(self, work: Callable[[], Item]) -> tuple[bool, Any] | int | None:
        """Return whether it was done and its result or error; the status of a process that died; ``None``: too late."""
        if self._process is None:
            self._start()
        with suppress(BrokenPipeError, ConnectionResetError):  # it died in between; so it is seen below
            self._connection.send(work)
        ready = wait([self._connection, self._process.sentinel], self._time_s)
        if not ready:
            self.close()
            return None
        if self._connection in ready:
            with suppress(EOFError, ConnectionResetError):  # it died on the way; its status says why
                answer: tuple[bool, Any] = self._connection.recv()
                return answer
        return self.close()

    def close(self) -> int:
        """End the process, and what it has started; return the status that it ended with, 0 without one."""
        if self._process is None:
            return 0
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()  # also where it has not come to have a group of its own
        self._process.join()
        status = int(self._process.exitcode)
        self._process.close()
        self._connection.close()
        self._process = None
        return status

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def _shown(work: Callable[[], Any]) -> str:
    """Return what a piece of work is about: its first argument where it has one."""
    arguments = getattr(work, "args", ())
    return str(getattr(arguments[0], "name", arguments[0])) if arguments else "decoding"

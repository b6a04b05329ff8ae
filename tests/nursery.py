"""Commands in processes of their own that need not load their packages: forks of a process that has loaded them.

``start("avsieve", "review", ..., loaded=[...])`` is `subprocess.Popen` of ``python -m avsieve review ...``, a second
sooner. What the command does, from its options to its exit status, is the same. Only what depends on how Python is
started or on which modules are there wants a real one.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import runpy
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any


class Child:
    """What of `subprocess.Popen` tests use; both streams are text."""

    def __init__(self, nursery: Nursery, question: dict[str, Any]) -> None:
        pipes = [os.pipe(), os.pipe()]
        self.nursery = nursery
        self.pid: int = nursery.ask(question, [write for _, write in pipes])["pid"]
        for _, write in pipes:
            os.close(write)
        self.stdout, self.stderr = (os.fdopen(read, encoding="utf-8") for read, _ in pipes)
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, None while there is none."""
        if self.returncode is None:
            self.returncode = self.nursery.ask({"ended": self.pid})["status"]
        return self.returncode

    def wait(self, timeout: float = 60) -> int:
        """Wait for the end."""
        deadline = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.005)
        return status

    def send_signal(self, how: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def communicate(self, timeout: float = 60) -> tuple[str, str]:
        """Wait for the end, and return what it wrote to both streams."""
        told = ["", ""]

        def read(k: int) -> None:
            told[k] = (self.stdout, self.stderr)[k].read()

        readers = [threading.Thread(target=read, args=(k,), daemon=True) for k in range(2)]
        for reader in readers:
            reader.start()
        self.wait(timeout)
        for reader in readers:
            reader.join(timeout)
        return told[0], told[1]

    def __enter__(self) -> Child:
        return self

    def __exit__(self, *_: object) -> None:
        self.stdout.close()
        self.stderr.close()
        self.wait()


class Nursery:
    """A process that has loaded modules, and waits for commands to run in forks."""

    def __init__(self, modules: Sequence[str]) -> None:
        self.link, there = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        # It holds nothing of ours open, and ends with this process: its end of the link is closed then. Its streams
        # are pipes, since Python asks what they are when it starts.
        self.process = subprocess.Popen(
            [sys.executable, __file__, str(there.fileno()), *modules], pass_fds=[there.fileno()], text=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        there.close()

    def ask(self, question: dict[str, Any], files: Sequence[int] = ()) -> Any:
        """Return its answer to a question."""
        socket.send_fds(self.link, [json.dumps(question).encode()], files)
        answer = self.link.recv(1 << 16)
        assert answer, f"the nursery has ended: {self.process.communicate()[1]}"
        return json.loads(answer)


@cache
def nursery(*modules: str) -> Nursery:
    """Return the nursery of this test process that has loaded these modules."""
    return Nursery(modules)


def start(
    module: str, *arguments: str, loaded: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None
) -> Child:
    """Start ``python -m module arguments`` in a process that has ``loaded`` these modules."""
    question = {"module": module, "arguments": arguments, "cwd": str(cwd or Path.cwd()), "env": dict(env or os.environ)}
    return Child(nursery(*loaded), question)


def run(
    module: str, *arguments: str, loaded: Sequence[str], cwd: Path | None = None, env: Mapping[str, str] | None = None,
    timeout: float = 120,
) -> subprocess.CompletedProcess[str]:  # fmt: skip
    """Run the same to its end, as `subprocess.run` does with its output captured."""
    with start(module, *arguments, loaded=loaded, cwd=cwd, env=env) as child:
        try:
            out, err = child.communicate(timeout)
        finally:
            child.kill()
        return subprocess.CompletedProcess([module, *arguments], child.wait(), out, err)


def next_command(link: socket.socket) -> dict[str, Any]:
    """Fork for every command, and return it in the fork."""
    while True:
        data, files, _, _ = socket.recv_fds(link, 1 << 20, 2)
        if not data:
            # Of those who asked nobody is left: nor need be what they started.
            signal.signal(signal.SIGTERM, signal.SIG_IGN)
            os.killpg(0, signal.SIGTERM)
            os._exit(0)
        question: dict[str, Any] = json.loads(data)
        answer: dict[str, Any] = {}
        if "ended" in question:
            pid, status = os.waitpid(question["ended"], os.WNOHANG)
            answer["status"] = os.waitstatus_to_exitcode(status) if pid else None
        elif pid := os.fork():
            answer["pid"] = pid
            for file in files:
                os.close(file)
        else:
            link.close()
            for file, stream in zip(files, (1, 2), strict=True):
                os.dup2(file, stream)
                os.close(file)
            return question
        link.send(json.dumps(answer).encode())


def main() -> None:
    """Serve, and in a fork run its command as Python does."""
    # The folder of the tests is no place to import from.
    del sys.path[0]
    for module in sys.argv[2:]:
        importlib.import_module(module)
    gc.freeze()
    os.setpgid(0, 0)
    command = next_command(socket.socket(fileno=int(sys.argv[1])))
    os.chdir(command["cwd"])
    os.environ.clear()
    os.environ.update(command["env"])
    sys.path.insert(0, command["cwd"])
    sys.argv = [command["module"], *command["arguments"]]
    runpy.run_module(command["module"], run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main()

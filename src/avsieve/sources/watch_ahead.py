"""Compare watch lists with what lies there, in a process of its own: a million files keep one busy for seconds.

``python -m avsieve.sources.watch_ahead`` reads what is asked from stdin, in JSON (``lists``, ``roots``, ``how``,
``threads``), and prints the answers of `avsieve.sources.watch_list.tell_changes`, in the order of the lists.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from avsieve.sources.watch_list import How, tell_changes

AT_A_TIME = 8
"""Lists that are compared at a time: a disk, above all one in a network, answers many questions at once."""
MANY_BYTES = 4_000_000
"""Bytes of lists from which on the start of processes pays: some 100,000 clips."""


def start_to_compare(lists: Sequence[str], roots: Mapping[str, str], how: How) -> dict[str, Future[str]]:
    """Begin to compare watch lists, and return what will be told of each: list -> text.

    Large ones are shared by processes, as many as there are cores, so that Snakemake goes on meanwhile.

    Parameters
    ----------
    lists, roots, how
        As `avsieve.sources.watch_list.tell_changes` takes them.
    """
    many = how != "nothing" and sum(_bytes_of(path) for path in lists) > MANY_BYTES
    processes = min(AT_A_TIME, max(2, os.cpu_count() or 1)) if many else 0
    pool = ThreadPoolExecutor(processes or AT_A_TIME)
    if many:
        found: dict[str, Future[str]] = {}
        for own in (lists[first::processes] for first in range(processes)):
            answers = pool.submit(_answers, own, roots, how, -(-AT_A_TIME // processes))
            found |= {path: _item(answers, place) for place, path in enumerate(own)}
    else:
        found = {path: pool.submit(tell_changes, path, roots, how) for path in lists}
    pool.shutdown(wait=False)
    return {path: found[path] for path in lists}


def _bytes_of(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def _item(answers: Future[list[str]], place: int) -> Future[str]:
    """Return one of the answers that are to come."""
    one: Future[str] = Future()

    def take(done: Future[list[str]]) -> None:
        error = done.exception()
        if error is not None:
            one.set_exception(error)
        else:
            one.set_result(done.result()[place])

    answers.add_done_callback(take)
    return one


def _answers(lists: Sequence[str], roots: Mapping[str, str], how: How, threads: int) -> list[str]:
    """Compare lists in a process, or here where it fails: then the error comes up where it can be seen."""
    asked = json.dumps({"lists": list(lists), "roots": dict(roots), "how": how, "threads": threads})
    src = str(Path(__file__).resolve().parents[2])
    done = subprocess.run(
        [sys.executable, "-m", __name__], input=asked, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": src},
    )  # fmt: skip
    if done.returncode == -signal.SIGINT:
        raise KeyboardInterrupt  # of a terminal, which stops Snakemake too: it does not wait for another comparison
    if done.returncode:
        return [tell_changes(path, roots, how) for path in lists]
    found: list[str] = json.loads(done.stdout)
    return found


def main() -> None:
    """Answer what is asked."""
    asked = json.load(sys.stdin)
    with ThreadPoolExecutor(asked["threads"]) as pool:
        told = list(pool.map(lambda path: tell_changes(path, asked["roots"], asked["how"]), asked["lists"]))
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()

"""A part at work: where it runs, how long it may take, and what it has found so far."""

from __future__ import annotations

import json
import os
import time
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Facts = dict[str, Any]
LINES = 4  # of a traceback that are kept


@dataclass
class Part:
    """What a part is given, and its results, written anew after each case.

    Parameters
    ----------
    name
        Module of this package.
    device
        ``cuda`` or ``cpu``.
    dry
        Whether tiny sizes are enough.
    budget_s
        Seconds from now.
    out, work
        JSON to write; a folder for files, which the caller removes.
    networks
        Encoders to embed with and to train; all where there are none.
    """

    name: str
    device: str
    dry: bool
    budget_s: float
    out: Path
    work: Path
    networks: tuple[str, ...] = ()
    results: Facts = field(default_factory=dict)
    began: float = field(default_factory=time.monotonic)

    def size(self, full: int, tiny: int) -> int:
        """Return how many of something: ``tiny`` in a dry run."""
        return tiny if self.dry else full

    def chosen(self, networks: Iterable[str]) -> list[str]:
        """Return those of the ``networks`` that were asked for; raises a `ValueError` where there are none."""
        known = list(networks)
        found = [name for name in known if not self.networks or name in self.networks]
        if not found:
            asked = ", ".join(self.networks)
            raise ValueError(
                f"{self.name}: none of the networks {asked} is measured; expected some of {', '.join(known)}"
            )
        return found

    def left_s(self) -> float:
        """Return what is left of the budget."""
        return self.budget_s - (time.monotonic() - self.began)

    def note(self, **facts: Any) -> None:
        """Add facts about the whole part."""
        self.results |= facts
        self._write()

    def case(self, work: Callable[[], Facts], *names: str) -> None:
        """Run a case and keep what it returns under ``names``; its error, or that there was no time, if it does not."""
        place = self.results
        for name in names[:-1]:
            place = place.setdefault(name, {})
        began = time.monotonic()
        if self.left_s() <= 0:
            place[names[-1]] = {"not_run": f"the budget of {self.budget_s:.0f} s was spent"}
        else:
            # The figures of other cases count without this one, whatever has gone wrong in it.
            try:
                place[names[-1]] = work() | {"seconds": round(time.monotonic() - began, 2)}
            except Exception as error:  # noqa: BLE001 - recorded, and told by the exit status
                place[names[-1]] = failure(error)
        print(f"  {self.name}: {' '.join(names)}: {json.dumps(place[names[-1]], default=str)}", flush=True)
        self._write()

    def _write(self) -> None:
        beside = self.out.with_suffix(".partial")
        beside.write_text(json.dumps(self.results))
        beside.replace(self.out)


def failure(error: BaseException) -> Facts:
    """Return what is recorded of an error."""
    lines = "".join(traceback.format_exception(error)).rstrip().splitlines()
    return {"error": f"{type(error).__name__}: {error}", "traceback": lines[-LINES:]}


def failures(results: Any) -> list[str]:
    """Return the errors anywhere below ``results``."""
    if not isinstance(results, dict):
        return []
    own = [str(results["error"])] if results.get("error") else []
    return own + [text for key, value in results.items() if key != "error" for text in failures(value)]


def not_run(results: Any, names: str = "") -> list[str]:
    """Return the names of the cases below ``results`` that there was no time for."""
    if not isinstance(results, dict):
        return []
    own = [names] if "not_run" in results else []
    return own + [text for key, value in results.items() for text in not_run(value, f"{names} {key}".strip())]


def cores() -> int:
    """Return the number of cores that this process may use."""
    return len(os.sched_getaffinity(0))

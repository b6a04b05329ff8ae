"""What the rules ask about the plan: which shards another one concerns. Runs inside Snakemake.

A job that waits for `plan_shards` reruns when that does, whatever it wrote. So a shard whose utterances stay the same
does not wait: it takes its plan as it lies there. For that the next plan is made ahead, in a process of its own and
without writing anything, whenever what it is made from is not what the last one was made from.
"""

from __future__ import annotations

import hashlib
import json
import logging
import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from avsieve.sources.plan_note import FIRST, PlanNote, next_note, read_plan_note
from avsieve.storage import paths as P
from avsieve.storage.ids import shard_names
from avsieve.wiring.flags import flags
from avsieve.wiring.source import SourceWiring
from avsieve.wiring.watch import Watch

logger = logging.getLogger(__name__)
_KEY_BYTES = 8


class _State(NamedTuple):
    """Each shard's text, the shards whose plan stays as it is, and the text of all."""

    told: Mapping[str, str]
    same: frozenset[str]
    of_all: str = ""


class Planned:
    """The plan as the rules see it.

    Parameters
    ----------
    source, watch, shards
        What is planned, and into how many shards.
    code
        Returns the hashes of the code that plans.
    src
        The folder of the library.
    at
        As in `avsieve.wiring.rules.Wiring`.
    kept
        Makes an input of a path that is read as it lies there: nothing that makes it anew is waited for.
    written
        Makes outputs of paths that are not removed before they are made anew.
    ahead
        Whether to look which shards would change; a job that a cluster runs goes by what was planned.
    """

    def __init__(
        self,
        source: SourceWiring,
        watch: Watch,
        shards: int,
        *,
        code: Callable[[], list[str]],
        src: Path,
        at: Callable[[str], str] = str,
        kept: Callable[[str], str] = str,
        written: Callable[[list[str]], list[str]] = list,
        ahead: bool = True,
    ) -> None:
        self._source, self._watch, self.shards = source, watch, shards
        self._code, self._src, self._at, self._kept, self._written, self._ahead = code, src, at, kept, written, ahead

    def key(self, wildcards: Any) -> str:
        """Return a digest of what the plan is made from: with the same one it has the same utterances."""
        return self._key

    def of_all(self, wildcards: Any) -> str:
        """Return the option of `plan_shards.py` with the text of all shards, where it is not known which change."""
        return str(flags({"of_all": self._next.of_all or None}))

    def told(self, wildcards: Any) -> str:
        """Return what a shard's `fetch_media` is told of its utterances: the same text as long as they are the same."""
        return self._state.told.get(wildcards.shard, FIRST)

    def shards_to_write(self, paths: list[str]) -> list[str]:
        """Return the plans of the shards, outputs: those that lie there may be read until they are written anew."""
        return self._written(paths) if Path(self._at(P.plan.note)).exists() else paths

    def shard(self, wildcards: Any) -> str:
        """Return the plan of a shard, an input: the one that lies there, if it stays as it is."""
        self._watch.begin()
        path = P.of(P.plan.shard, shard=wildcards.shard)
        is_kept = wildcards.shard in self._state.same and Path(self._at(path)).exists()
        return self._kept(path) if is_kept else path

    @property
    def _state(self) -> _State:
        return self._next if self._ahead else self._noted

    @cached_property
    def _key(self) -> str:
        lists = self._watch.files("lists", self._source.plan_files)(None)
        made_from = [*self._code(), *self.options, lists, self._watch.plan(None)]
        text = "\0".join(made_from).encode("utf-8", "surrogateescape")
        return hashlib.blake2b(text, digest_size=_KEY_BYTES).hexdigest()

    @property
    def options(self) -> list[str]:
        """What is planned, as options of `avsieve.sources.plan_ahead`."""
        given = flags(self._source.settings, leave=self._source.leave_in_plan)
        return [self._source.kind, *shlex.split(given), "--shards", str(self.shards)]

    @cached_property
    def _names(self) -> list[str]:
        return shard_names(self.shards)

    @cached_property
    def _note(self) -> PlanNote | None:
        return read_plan_note(self._at(P.plan.note))

    @cached_property
    def _noted(self) -> _State:
        if self._note is None:
            return _State(dict.fromkeys(self._names, FIRST), frozenset())
        return _State({name: shard.told for name, shard in self._note.shards.items()}, frozenset(self._note.shards))

    @cached_property
    def _next(self) -> _State:
        """What the next plan would be, if there is one to be made."""
        if self._note is None:
            planned = any(Path(self._at(P.of(P.plan.shard, shard=name))).exists() for name in self._names)
            return self._all_anew() if planned else self._noted
        if self._note.key == self._key:
            return self._noted._replace(of_all=self._note.of_all)
        try:
            rows = self.rows()
        except (OSError, ValueError, subprocess.CalledProcessError) as error:
            said = (getattr(error, "stderr", None) or str(error)).strip().rpartition("\n")[2]
            logger.warning("which shards the next plan concerns cannot be told, so all are fetched again: %s", said)
            return self._all_anew()
        note, before = next_note(self._note, self._key, "", rows), self._note.shards
        same = {name for name, text in rows.items() if name in before and before[name].rows == text}
        return _State({name: shard.told for name, shard in note.shards.items()}, frozenset(same))

    def _all_anew(self) -> _State:
        text = f"utterances: planned from {self._key}"
        return _State(dict.fromkeys(self._names, text), frozenset(), text)

    def rows(self) -> dict[str, str]:
        """Plan ahead: shard -> its utterances in words.

        Raises
        ------
        OSError, ValueError, subprocess.CalledProcessError
            If it cannot be planned.
        """
        command = [sys.executable, "-m", "avsieve.sources.plan_ahead", *self.options]
        done = subprocess.run(
            command, capture_output=True, text=True, errors="surrogateescape", check=True,
            env=os.environ | {"PYTHONPATH": str(self._src), "PYTHONHASHSEED": "0"},
        )  # fmt: skip
        found: dict[str, str] = json.loads(done.stdout)
        return found

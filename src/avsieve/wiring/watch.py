"""What the rules ask about changes outside the results: clips, lists, tables, models. Runs inside Snakemake.

Each answer is a function of wildcards alone: of those Snakemake compares the values with the last run's, and asks only
for the jobs that it looks at. Answers are kept, since Snakemake asks again when a job begins, and what is recorded of
the job must be what it was planned with.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from functools import cache
from pathlib import Path
from typing import Any

from avsieve.config.source import Source
from avsieve.sources.containers import SOUND
from avsieve.sources.watch_ahead import start_to_compare
from avsieve.sources.watch_list import tell_changes
from avsieve.storage import paths as P
from avsieve.storage.census import of_archives, of_files, of_names

NOT_WATCHED = "clips: not watched"


class Watch:
    """What lies outside the results, as parameters of rules.

    Parameters
    ----------
    source, roots
        The source, and the folders that its media index starts from.
    at
        As in `avsieve.wiring.rules.Wiring`.
    together
        Shards that are looked at together, from `begin` on.
    """

    def __init__(
        self,
        source: Source,
        roots: dict[str, str | None],
        *,
        at: Callable[[str], str] = str,
        together: Iterable[str] = (),
    ) -> None:
        self._source, self._at = source, at  # `at` as in `avsieve.wiring.rules.Wiring`
        self.plan_list = at(P.plan.watched)
        """Where the plan notes what it was made from."""
        self.roots = {name: root for name, root in roots.items() if root is not None}
        """Folders that the media index starts from."""
        self._together = list(together)
        self._looked: dict[str, Future[str]] = {}
        self._shard = cache(self._changes)
        self._planned = cache(self._plan)

    def files(self, label: str, paths: Iterable[str]) -> Callable[[Any], str]:
        """Return what tells the content of files that the user names."""
        named = [path for path in paths if self.is_own(path)]
        tell = cache(lambda: of_files(label, named))
        return lambda wildcards: tell()

    def beside(self, label: str, path: str) -> Callable[[Any], str]:
        """Return what tells the content of a file of the results that a rule reads where it is there.

        Such a file is no input: nothing is run for it.
        """
        tell = cache(lambda: of_files(label, [path]))
        return lambda wildcards: tell()

    def recordings(self, label: str, folders: Iterable[str | None]) -> Callable[[Any], str]:
        """Return what tells the recordings in folders of the user's, by names, sizes and times."""
        named = [folder for folder in folders if folder is not None]
        tell = cache(lambda: of_names(label, named, SOUND, times=True))
        return lambda wildcards: tell()

    @staticmethod
    def is_own(path: str) -> bool:
        """Tell whether a path is the user's: Snakemake knows of what the run itself makes."""
        return Path(path).parts[:1] != (P.RESULTS,)

    def plan(self, wildcards: Any) -> str:
        """Return what tells which clips there are, where that is what the plan is made from."""
        return self._planned()

    def _plan(self) -> str:
        contract = self._source.contract
        folders = contract.named_now()
        if folders is None and not contract.archives:
            return "clips: as the tables name them"
        if self._source.watch == "nothing":
            try:
                return str(json.loads(Path(self.plan_list).read_text(encoding="utf-8"))["told"])
            except (FileNotFoundError, ValueError, KeyError):
                return NOT_WATCHED
        if folders is None:
            return of_archives("archives", contract.patterns())
        return of_names("clips", folders, contract.named_endings) if folders else "clips: as the list names them"

    def begin(self) -> None:
        """Begin to look at the clips of all shards: until Snakemake asks for them it takes seconds to find the jobs."""
        if self._together:
            lists = {shard: self.watch_list(shard) for shard in self._together}
            looked = start_to_compare(list(lists.values()), self.roots, self._source.watch)
            self._looked = {shard: looked[path] for shard, path in lists.items()}
            self._together = []

    def fetch(self, wildcards: Any) -> str:
        """Return what tells whether the clips of a shard are as they were when they were indexed."""
        self.begin()
        looked = self._looked.get(wildcards.shard)
        return self._shard(wildcards.shard) if looked is None else looked.result()

    def _changes(self, shard: str) -> str:
        return tell_changes(self.watch_list(shard), self.roots, self._source.watch)

    def options(self, shard: str) -> dict[str, Any]:
        """Return the options of `fetch_media.py` that say where the watch list lies, and below what."""
        return {"watch_list": self.watch_list(shard), "watch_roots": self.roots}

    def watch_list(self, shard: str) -> str:
        """Return the path of a shard's watch list."""
        return self._at(P.of(P.media.watched, shard=shard))

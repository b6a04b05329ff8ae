"""What the rules ask about damaged twins of training utterances. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from avsieve.config.model import Config
from avsieve.fusion.registry import MODELS
from avsieve.storage import paths as P
from avsieve.wiring.damage import VersionWiring
from avsieve.wiring.flags import flags
from avsieve.wiring.watch import Watch


class TwinWiring(VersionWiring):
    """Damaged twins as the rules see them.

    Parameters
    ----------
    config
        The configuration.
    shards
        Names of the shards: twins whose signals are damaged lie in a file for each.
    watch
        Tells of changes of the user's recordings.
    at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(self, config: Config, shards: Sequence[str], *, watch: Watch, at: Callable[[str], str] = str) -> None:
        twins = config.fusion.twins
        super().__init__(config, twins, watch=watch)
        self.settings = {"twins": twins.expanded, "level": self.level}
        """What decides of the table of twins, as `make_twins.py` takes it."""
        files = {
            f"twin_{m}": [P.of(P.twins.embeddings, modality=m, shard=shard) for shard in shards] for m in self.signals
        }
        tables = {"twin_table": P.twins.table} if twins.conditions else {}
        self._files = [*tables.values(), *chain(*files.values())]
        self._flags = {flag: at(path) for flag, path in tables.items()} | {
            flag: [at(path) for path in paths] for flag, paths in files.items()
        }

    def of_model(self, wildcards: Any) -> list[str]:
        """Return what the training of a fusion model reads of them: nothing, where it does not learn from twins."""
        return self._files if MODELS[wildcards.model].twins else []

    def flags_of_model(self, wildcards: Any) -> str:
        """Return the options that its training reads them by."""
        return str(flags(self._flags)) if MODELS[wildcards.model].twins else ""

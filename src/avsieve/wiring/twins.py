"""What the rules ask about damaged twins of training utterances. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

from avsieve.config.model import Config
from avsieve.fusion.registry import MODELS
from avsieve.storage import paths as P
from avsieve.wiring.damage import folders_of, level_of
from avsieve.wiring.flags import flags
from avsieve.wiring.watch import Watch


class TwinWiring:
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
        self.folders = {"noise": folders_of(twins.noise), "rooms": folders_of(twins.rooms)}
        """Recordings that voices are damaged with."""
        self.recordings = watch.recordings("recordings", chain(*self.folders.values()))
        """What they are: a parameter, so that others under the same names damage anew."""
        level = level_of(config, twins)
        self.settings = {"twins": twins.expanded, "level": level}
        """What decides of the table of twins, as `make_twins.py` takes it."""
        signals = sorted(twins.damaged_signals()) if level == "signal" else []
        files = {f"twin_{m}": [P.of(P.twins.embeddings, modality=m, shard=shard) for shard in shards] for m in signals}
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

"""What the rules ask about damaged trials. Runs inside Snakemake."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain

from avsieve.config.model import Config
from avsieve.evaluation.conditions.contract import Level
from avsieve.evaluation.conditions.settings import Damage
from avsieve.storage import paths as P
from avsieve.wiring.sequences import AUDIO, VISUAL, tables_of
from avsieve.wiring.watch import Watch

# Tables of damaged segments and faces, each beside the embeddings of its modality.
_ITEMS = {"audio": (AUDIO, P.damage.segments), "visual": (VISUAL, P.damage.frames)}


def folders_of(value: str | list[str] | None) -> list[str]:
    """Return the folders that a key names: one, several or none."""
    return [value] if isinstance(value, str) else list(value or [])


def level_of(config: Config, damage: Damage) -> Level:
    """Return what is damaged: the signals, where there are any."""
    return "signal" if damage.level == "auto" and config.source.contract.has_media else "embedding"


class VersionWiring:
    """Damaged versions as the rules see them, of trials or of training utterances.

    Parameters
    ----------
    config, damage
        The configuration, and that of these versions in it.
    watch
        Tells of changes of the user's recordings.
    """

    def __init__(self, config: Config, damage: Damage, *, watch: Watch) -> None:
        self.folders = {"noise": folders_of(damage.noise), "rooms": folders_of(damage.rooms)}
        """Recordings that voices are damaged with."""
        self.recordings = watch.recordings("recordings", chain(*self.folders.values()))
        """What they are: a parameter, so that others under the same names damage anew."""
        self.level = level_of(config, damage)
        self.signals = sorted(damage.damaged_signals()) if self.level == "signal" else []
        """Modalities whose signals are damaged: there are embeddings of these versions."""


class DamageWiring(VersionWiring):
    """Damaged trials as the rules see them.

    Parameters
    ----------
    config
        The configuration.
    shards
        Names of the shards: what is damaged lies in a file for each.
    watch
        Tells of changes of the user's recordings.
    at
        As in `avsieve.wiring.rules.Wiring`.
    """

    def __init__(self, config: Config, shards: Sequence[str], *, watch: Watch, at: Callable[[str], str] = str) -> None:
        damage = config.evaluation.damage
        super().__init__(config, damage, watch=watch)
        self.settings = {"damage": damage.expanded, "level": self.level}
        """What decides of the table of damages, as `make_damage.py` takes it."""
        read = tables_of(config.fusion.sequences)
        damaged = {f"damaged_{modality}": P.of(P.damage.embeddings, modality=modality) for modality in self.signals}
        damaged |= {f"damaged_{name}": path for name, path in (_ITEMS[m] for m in self.signals) if name in read}
        files = {flag: [P.of(path, shard=shard) for shard in shards] for flag, path in damaged.items()}
        tables = {"damage_table": P.evaluation.damage} if damage.conditions else {}
        self.files = [*tables.values(), *chain(*files.values())]
        """What the evaluation of damaged trials reads: nothing without conditions."""
        self.flags = {flag: at(path) for flag, path in tables.items()} | {
            flag: [at(path) for path in paths] for flag, paths in files.items()
        }
        """The same, by its options."""

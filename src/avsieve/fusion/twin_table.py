"""The table of twins: which training utterances are damaged under each condition, made once for all models."""

from __future__ import annotations

import hashlib
from pathlib import Path

from avsieve.evaluation.conditions.contract import BOTH, ENROL, TEST, Level
from avsieve.evaluation.conditions.manifest import Candidates, make_manifest
from avsieve.evaluation.conditions.table import write_damage
from avsieve.fusion.twin_settings import TwinSettings
from avsieve.lists.train_list import read_train_list
from avsieve.storage.tables import read_table


def write_twins(out: Path, train_list: Path, plan: Path, settings: TwinSettings, *, level: Level) -> str:
    """Choose the utterances that have twins, say what is done to them, write it, and return counts in words.

    Parameters
    ----------
    out
        Where it is written, as `avsieve.evaluation.conditions.table.SCHEMA`; ``side`` tells nothing.
    train_list, plan
        The list before cleansing, and the plan: nobody who is held out has a twin.
    settings
        Conditions, seed, and the number of utterances.
    level
        Whether signals are damaged or embeddings moved.
    """
    table = read_table(plan, ["utterance", "held_out"])
    held_out = set(table.loc[table["held_out"], "utterance"])
    names = [u for u in dict.fromkeys(read_train_list(train_list)["utterance"]) if u not in held_out]
    # By the seed and each one's own name: a longer list beside it changes the choice by little.
    order = sorted(names, key=lambda u: hashlib.blake2b(f"{settings.seed}\0twins\0{u}".encode()).digest())
    chosen = sorted(order[: settings.utterances])
    candidates = Candidates({ENROL: chosen, TEST: chosen, BOTH: chosen})
    return write_damage(out, make_manifest(settings.chosen, candidates, level=level, seed=settings.seed))

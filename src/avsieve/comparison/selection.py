"""Which of the wanted utterances the shards hold, and what became of them: any modality."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from avsieve.errors import AvsieveError
from avsieve.evaluation.trials import left_out, read_trials
from avsieve.lists.train_list import read_train_list
from avsieve.storage.indexed_tar import TarReader

logger = logging.getLogger(__name__)


def wanted_utterances(trials: Sequence[Path], cohort: Path | None) -> list[str]:
    """Return the utterances of the trial lists, and then those of a cohort's list.

    Raises
    ------
    AvsieveError
        If there is no trial in any list.
    """
    reasons = {path: left_out(path) if path.is_file() else None for path in trials}
    found = [u for path, reason in reasons.items() if not reason for u in read_trials(path).utterances]
    if not found:
        raise AvsieveError(f"there are no trials to compare on: {'; '.join(dict.fromkeys(map(str, reasons.values())))}")
    if cohort is not None:
        found += read_train_list(cohort)["utterance"].tolist()
    return list(dict.fromkeys(found))


def held(tar: Path, wanted: set[str]) -> list[str]:
    """Return the wanted utterances that a shard holds, in its order."""
    with TarReader(tar) as reader:
        return [u for u in reader.utterances if u in wanted]


def gather(utterances: Sequence[str], vectors: Mapping[str, np.ndarray], what: str) -> tuple[list[str], np.ndarray]:
    """Return the utterances that have a vector, in the given order, and their vectors (N, dim).

    Raises
    ------
    AvsieveError
        If none has one.
    """
    found = [u for u in utterances if u in vectors]
    if not found:
        raise AvsieveError(f"none of {len(utterances)} utterances has a {what} in the shards; are they of this run?")
    if missing := len(utterances) - len(found):
        logger.warning("%d of %d utterances have no %s, hence no embedding", missing, len(utterances), what)
    return found, np.stack([vectors[u] for u in found])

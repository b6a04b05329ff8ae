"""A damaged evaluation set as a seeded manifest: which utterances lose which modality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.fusion.inputs import Inputs

DAMAGES = ("none", "no_audio", "no_visual")


def make_manifest(utterances: Sequence[str], share: float, seed: int) -> pd.DataFrame:
    """Choose a share of the utterances, each to lose one modality, half of them either.

    Parameters
    ----------
    utterances
        Ids; their order does not matter.
    share
        0 to 1.
    seed
        Equal ids, share and seed give an equal manifest.

    Returns
    -------
    pandas.DataFrame
        ``utterance`` (sorted) and ``damage``, one of `DAMAGES`.
    """
    if not 0 <= share <= 1:
        raise AvsieveError(f"share of damaged utterances is {share}; expected 0 to 1")
    names = sorted(set(utterances))
    damage = np.zeros(len(names), dtype=np.int64)
    hit = np.random.default_rng(seed).permutation(len(names))[: round(share * len(names))]
    damage[hit] = 1 + np.arange(len(hit)) % 2
    return pd.DataFrame({"utterance": names, "damage": np.array(DAMAGES, dtype=object)[damage]})


def apply_manifest(inputs: Inputs, manifest: pd.DataFrame) -> Inputs:
    """Take away what the manifest says; utterances that it does not name stay whole.

    Raises
    ------
    AvsieveError
        If the manifest has a damage that is not known.
    """
    if unknown := set(manifest["damage"]) - set(DAMAGES):
        raise AvsieveError(f"damage {sorted(unknown)[0]!r}; expected one of {', '.join(DAMAGES)}")
    of = dict(zip(manifest["utterance"], manifest["damage"], strict=True))
    damage = np.array([of.get(u, "none") for u in inputs.utterances], dtype=object)
    return Inputs(
        inputs.utterances, inputs.audio.without(damage == "no_audio"), inputs.visual.without(damage == "no_visual")
    )

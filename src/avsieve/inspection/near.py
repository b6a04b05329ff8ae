"""Names that look like one that does not occur, without comparing it with a million."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

MOST = 20_000
"""Names that are compared at most; of more, those that begin or end alike."""
_SHOWN, _CUTOFF = 5, 0.6


def near_names(name: str, names: Sequence[str] | np.ndarray | pa.Array, most: int = _SHOWN) -> list[str]:
    """Return names that look like ``name``, the nearest first.

    Parameters
    ----------
    names
        All that there are. Where they are more than ``MOST``, only those are compared that share a beginning with
        ``name``, as long a one as leaves enough of them, or its end.
    """
    array = names if isinstance(names, pa.Array) else pa.array(names, pa.string())
    candidates = _bounded(name, array)
    exact = [c for c in candidates if c.lower() == name.lower()]
    found = difflib.get_close_matches(name, candidates, n=most, cutoff=_CUTOFF)
    return list(dict.fromkeys([*exact, *found]))[:most]


def near_utterances(name: str, utterance: pa.Array, most: int = _SHOWN) -> list[str]:
    """Return utterances that look like an id: of the same video, with the same end, or of the same speaker.

    Parameters
    ----------
    utterance
        All ids, an Arrow array of str.
    """
    parts = name.strip("/").split("/")
    found: list[str] = []
    if len(parts) >= 2:
        tail = f"/{'/'.join(parts[-2:])}"
        found += _where(utterance, pc.ends_with(utterance, tail), MOST)
    for length in range(min(len(parts), 2), 0, -1):
        inside = _where(utterance, pc.starts_with(utterance, "/".join(parts[:length]) + "/"), MOST)
        found += difflib.get_close_matches(name, inside, n=most, cutoff=_CUTOFF)
        if len(parts) <= length:
            found += inside[:most]
        if found:
            return _nearest(name, found, most)
    speakers = pc.unique(pc.replace_substring_regex(utterance, r"/.*$", ""))
    for speaker in near_names(parts[0], speakers, 2):
        inside = _where(utterance, pc.starts_with(utterance, f"{speaker}/"), MOST)
        found += difflib.get_close_matches(name, inside, n=most, cutoff=_CUTOFF) or inside[:1]
    return _nearest(name, found, most)


def _nearest(name: str, found: list[str], most: int) -> list[str]:
    """Return the most alike of these, each once; all are kept however little alike."""
    return difflib.get_close_matches(name, list(dict.fromkeys(found)), n=most, cutoff=0.0)


def _where(names: pa.Array, mask: pa.Array, most: int) -> list[str]:
    found: list[str] = names.filter(mask).slice(0, most).to_pylist()
    return found


def _bounded(name: str, names: pa.Array) -> list[str]:
    if len(names) <= MOST:
        whole: list[str] = names.to_pylist()
        return whole
    for length in range(len(name), 0, -1):
        mask = pc.or_(pc.starts_with(names, name[:length]), pc.ends_with(names, name[-length:]))
        if pc.sum(mask).as_py():
            return _where(names, mask, MOST)
    return []

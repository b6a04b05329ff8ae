"""Make a trial list for utterances that have none: balanced, seeded, with hard pairs on both sides."""

from __future__ import annotations

import io
import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.trials import Trials, write_no_trials, write_trials
from avsieve.storage.ids import parse_id
from avsieve.storage.text_files import read_text

logger = logging.getLogger(__name__)


class NoTrialsError(AvsieveError):
    """Nobody can be tested: there are too few people, or too few videos of them."""


def make_trials(
    utterances: Sequence[str],
    *,
    sex: Mapping[str, str] | None = None,
    max_targets: int = 5000,
    same_sex_share: float = 0.5,
    seed: int = 0,
) -> Trials:
    """Make as many target as nontarget trials, spread evenly over the speakers.

    A target trial joins two utterances of different videos: within one video the room, the camera and the clothes would
    give the answer. Nontarget trials join different speakers; a share of them is drawn among speakers of the same sex,
    the rest among all. No pair occurs twice, in either order.

    Parameters
    ----------
    utterances
        Ids ``speaker/video/utterance``; their order does not matter.
    sex
        Per speaker ``f`` or ``m`` (any labels that can be compared); a speaker that is missing here, or alone in its
        group, meets all others.
    max_targets
        Upper limit of target trials, and so of nontarget trials.
    same_sex_share
        Share, 0 to 1, of nontarget trials that are drawn within the same sex.
    seed
        Equal arguments and seed give an equal list.

    Raises
    ------
    NoTrialsError
        If there are fewer than two speakers, or no speaker has two videos.
    """
    names = sorted(set(utterances))
    ids = [parse_id(name) for name in names]
    speakers = sorted({i.speaker for i in ids})
    if len(speakers) < 2:
        raise NoTrialsError(
            f"trials need at least 2 speakers, found {len(speakers)}; hold out more speakers for testing"
        )
    rng = np.random.default_rng(seed)
    number = {s: k for k, s in enumerate(speakers)}
    speaker = np.array([number[i.speaker] for i in ids])
    video = np.unique([f"{i.speaker}/{i.video}" for i in ids], return_inverse=True)[1]
    groups = None if sex is None else [sex.get(s, "") for s in speakers]

    targets = _targets(speaker, video, len(speakers), max_targets, rng)
    if not len(targets):
        raise NoTrialsError("no target trials: no test speaker has utterances from two videos; add videos or speakers")
    nontargets = _nontargets(targets[:, 0], speaker, groups, same_sex_share, rng)
    targets = targets[np.sort(rng.permutation(len(targets))[: len(nontargets)])]
    pairs = np.concatenate([targets, nontargets])
    is_target = np.arange(len(pairs)) < len(targets)
    order = np.lexsort((~is_target, pairs[:, 1], pairs[:, 0]))
    return Trials(names, pairs[order, 0], pairs[order, 1], is_target[order])


def _targets(
    speaker: np.ndarray, video: np.ndarray, n_speakers: int, limit: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw pairs (K, 2) of one speaker and two videos, an equal share of ``limit`` per speaker while pairs last."""
    per_speaker = []
    for s in range(n_speakers):
        own = np.flatnonzero(speaker == s)
        first, second = np.triu_indices(len(own), 1)
        pairs = np.stack([own[first], own[second]], axis=1)
        pairs = pairs[video[pairs[:, 0]] != video[pairs[:, 1]]]
        per_speaker.append(rng.permutation(pairs))
    # Pairs are dealt round by round: every speaker's first, every speaker's second, until the limit.
    rounds = np.concatenate([np.arange(len(p)) for p in per_speaker])
    chosen = np.argsort(rounds, kind="stable")[:limit]
    return np.concatenate(per_speaker)[chosen]


def _nontargets(
    enrol: np.ndarray, speaker: np.ndarray, groups: list[str] | None, same_share: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw one impostor for each ``enrol`` (K,), without repeating a pair; fewer where the pairs run out."""
    n = len(speaker)
    by_speaker = [np.flatnonzero(speaker == s) for s in range(speaker.max() + 1)]
    everybody = np.arange(len(by_speaker))
    others = [np.delete(everybody, s) for s in everybody]
    same = others
    if groups is not None:
        group = np.array(groups)
        same = [o[(group[o] == group[s]) & (group[s] != "")] for s, o in enumerate(others)]
    found: dict[int, tuple[int, int]] = {}
    for e in enrol.tolist():
        hard = rng.random() < same_share and len(same[speaker[e]])
        pool = same[speaker[e]] if hard else others[speaker[e]]
        for _ in range(50):
            own = by_speaker[rng.choice(pool)]
            t = int(rng.choice(own))
            key = min(e, t) * n + max(e, t)
            if key not in found:
                found[key] = (e, t)
                break
    return np.array(list(found.values()), dtype=np.int64)


def read_sex(path: str | Path) -> dict[str, str]:
    """Read each speaker's sex: a CSV with columns ``speaker`` and ``sex``, or VoxCeleb's own tables.

    ``vox1_meta.csv`` is parted by tabs, ``vox2_meta.csv`` by commas with stray blanks around them and at the ends of
    lines; both are taken as they are.

    Raises
    ------
    ListError
        If the file is absent or no such table, or the columns are not there.
    """
    text = read_text(path, "table with the columns speaker and sex")
    try:
        table = pd.read_csv(io.StringIO(text), sep=r"\s*[,\t]\s*", engine="python", dtype=str, index_col=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise ListError(f"{path}: no table ({error}); expected columns speaker and sex") from None
    names = {name.strip().lower(): name for name in table.columns}
    speaker = next((names[n] for n in ("speaker", "voxceleb1 id", "voxceleb2 id") if n in names), None)
    sex = next((names[n] for n in ("sex", "gender") if n in names), None)
    if speaker is None or sex is None:
        raise ListError(
            f"{path}: columns {list(table.columns)}; expected speaker and sex (or VoxCeleb's ID and Gender)"
        )
    return dict(zip(table[speaker].str.strip(), table[sex].str.strip(), strict=True))


def known_right(utterances: Sequence[str], truth: pd.DataFrame | None) -> list[str]:
    """Return those of ``utterances`` whose labels a truth table calls right; all, where there is none for any of them.

    Parameters
    ----------
    truth
        ``utterance`` and ``kind``, of which ``clean`` is right.
    """
    if truth is None:
        return list(utterances)
    if not truth["utterance"].isin(utterances).any():
        logger.warning("the truth knows none of the %d utterances to test on: labels as given", len(utterances))
        return list(utterances)
    right = set(truth.loc[truth["kind"] == "clean", "utterance"])
    return [utterance for utterance in utterances if utterance in right]


def trusted(utterances: Sequence[str], decisions: pd.DataFrame) -> tuple[list[str], str]:
    """Return those of ``utterances`` that the cleansing calls clean and has judged, and why there are none.

    Parameters
    ----------
    decisions
        ``utterance``, ``decision``, ``reason``: ``clean`` with another reason than ``ok`` and ``reviewed`` was kept
        unjudged.
    """
    if utterances and not decisions["utterance"].isin(utterances).any():
        return [], "the people to test on are not in the training list, so the cleansing has not judged them"
    judged = decisions["reason"].isin(["ok", "reviewed"])
    kept = decisions.loc[(decisions["decision"] == "clean") & judged, "utterance"]
    right = set(kept)
    found = [utterance for utterance in utterances if utterance in right]
    none = f"the cleansing trusts none of the {len(utterances)} utterances to test on"
    return found, "" if found or not utterances else none


def write_made(
    path: Path,
    utterances: Sequence[str],
    *,
    sex: str | Path | None,
    max_targets: int,
    same_sex_share: float,
    seed: int,
    nobody: str = "",
) -> str:
    """Make trials of ``utterances`` and write them; where there can be none, why (``nobody``).

    The training lists do not depend on an evaluation, so this is no error: it is left out, and the report says so.

    Parameters
    ----------
    sex
        A file as `read_sex` takes it; impostors are any without it.
    max_targets, same_sex_share, seed
        See `make_trials`.

    Returns
    -------
    What was made, in words.
    """
    reason = nobody
    if not reason:
        try:
            trials = make_trials(
                utterances,
                sex=read_sex(sex) if sex else None,
                max_targets=max_targets,
                same_sex_share=same_sex_share,
                seed=seed,
            )
        except NoTrialsError as error:
            reason = str(error)
        else:
            write_trials(path, trials)
            return f"{len(trials)} trials ({trials.n_targets} target) over {len(utterances)} utterances"
    write_no_trials(path, reason)
    return f"WARNING: no trials: {reason}"

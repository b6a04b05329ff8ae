"""The rows of a plan: the utterances of a list, or all that folders hold."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from avsieve.errors import AvsieveError
from avsieve.lists.layouts import read_corpus_list
from avsieve.sources.containers import stem_of
from avsieve.sources.layout import Layout
from avsieve.sources.plan import TEST, TRAIN, speakers_of
from avsieve.sources.scan import Scan, in_order, scan_folder
from avsieve.sources.scan_report import count_of, findings_of, log, nothing_in
from avsieve.storage.file_names import path_to_text

Taken = Callable[[str], str | None]


Texts: TypeAlias = Sequence[str] | pd.Series


def frame_of(subset: str, utterances: Texts, paths: Texts, seconds: Texts) -> pd.DataFrame:
    """Return the rows of a plan; ``paths`` are written as `avsieve.storage.file_names.path_to_text` has them."""
    return pd.DataFrame({"utterance": utterances, "subset": subset, "path": paths, "seconds": seconds})


def check_folder(key: str, root: Path) -> None:
    """Raise unless ``root`` is a folder.

    Raises
    ------
    AvsieveError
        Naming the key of the configuration.
    """
    if not root.is_dir():
        raise AvsieveError(f"{key}: {root} is not a folder; give the folder that contains the speakers' folders")


def merged(scans: Sequence[Scan], keys: Sequence[str]) -> dict[str, str]:
    """Return what at least one of some folders has: id -> what the plan says of its path.

    A path is the one without its ending; where a layout gives several clips one id, theirs are joined by line ends.

    Raises
    ------
    AvsieveError
        If a folder below cannot be listed, or all of them hold no clip.
    """
    for scan, key in zip(scans, keys, strict=True):
        scan.require_readable(key)
    if not any(scan.clips for scan in scans):
        raise nothing_in(scans[0], keys[0])
    found: dict[str, str] = {}
    for scan in reversed(scans):
        for utterance, path in scan.clips.items():
            found[utterance] = "\n".join(map(path_to_text, [path, *scan.same.get(utterance, ())]))
    return found


def is_of_sound(key: str) -> bool:
    """Tell by its key whether a folder holds sound that lies apart."""
    return "audio" in key or "wavs" in key


def scan_roots(roots: dict[str, Path], layout: Layout, taken: Taken = stem_of, wanted: str = "") -> dict[str, str]:
    """Scan folders, tell in the log what there is to tell, and return `merged`.

    Parameters
    ----------
    roots
        Key of the configuration -> folder.
    taken, wanted
        Which files are meant, and their endings in words; see `avsieve.sources.scan.scan_folder`.
    """
    scans = [
        scan_folder(root, layout, taken=taken, wanted=wanted, sound=is_of_sound(key)) for key, root in roots.items()
    ]
    for scan, key in zip(scans, roots, strict=True):
        log(findings_of(scan, key))
    return merged(scans, list(roots))


def listed_rows(train_list: Path, layout: Layout, found: Callable[[], dict[str, str]]) -> pd.DataFrame:
    """Return the utterances of a list in its order, and where they should lie.

    Where the layout alone does not tell the path of an utterance, the folders are searched.

    Parameters
    ----------
    found
        Searches the folders: id -> path.

    Raises
    ------
    AvsieveError
        If the list cannot be read.
    """
    listed = read_corpus_list(train_list)
    if layout.is_default and not listed["utterance"].str.contains("=", regex=False).any():
        return frame_of(TRAIN, listed["utterance"], listed["utterance"], listed["seconds"])  # ids that are their paths
    utterances = listed["utterance"].tolist()
    told = [layout.path_of(utterance) for utterance in utterances]
    known = found() if None in told else {}
    paths = [
        path_to_text(path) if path is not None else known.get(utterance, utterance)
        for path, utterance in zip(told, utterances, strict=True)
    ]
    return frame_of(TRAIN, utterances, paths, listed["seconds"].tolist())


def found_rows(subset: str, found: dict[str, str]) -> pd.DataFrame:
    """Return all utterances that folders hold, in the order of their ids."""
    utterances = in_order(found)
    return frame_of(subset, utterances, [found[u] for u in utterances], [""] * len(utterances))


def planned(
    roots: Mapping[str, str | Path | None],
    train_list: str | Path | None,
    subset: str,
    layout: Layout,
    taken: Taken = stem_of,
    wanted: str = "",
) -> pd.DataFrame:
    """Return the rows of one subset: of the list if there is one, else of the folders.

    Parameters
    ----------
    roots
        Key of the configuration, such as ``source.tree.root`` -> folder; the first is the one that must hold clips.

    Raises
    ------
    AvsieveError
        If a folder does not exist, cannot be read or holds no clip.
    """
    given = {key: Path(root) for key, root in roots.items() if root is not None}
    for key, root in given.items():
        check_folder(key, root)
    if train_list is not None:
        return listed_rows(Path(train_list), layout, lambda: scan_roots(given, layout, taken, wanted))
    return found_rows(subset, scan_roots(given, layout, taken, wanted))


def refuse_shared_speakers(rows: pd.DataFrame, train_key: str, test_key: str) -> None:
    """Raise if people of the test are people of the training: the trials would be about whom the models know.

    Raises
    ------
    AvsieveError
        Naming the number of such speakers, and the first.
    """
    train, test = (
        set(speakers_of(rows.loc[rows["subset"] == name, "utterance"]).unique().to_pylist()) for name in (TRAIN, TEST)
    )
    both = train & test
    if both:
        raise AvsieveError(shared_in_words(both, train_key, test_key))


def shared_in_words(both: set[str], train_key: str, test_key: str) -> str:
    """Return what is wrong with people who are in both parts."""
    return (
        f"{test_key}: {count_of(len(both), 'speaker')} in {train_key.rpartition('.')[2]} too, as {min(both)}; the "
        "trials need other people: name their folder, or leave it out and let evaluation.holdout keep some for testing"
    )

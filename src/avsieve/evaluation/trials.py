"""Trial lists: ``label enrol test`` as VoxCeleb has them, held as numbers so that half a million are no burden."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv

from avsieve.errors import ListError
from avsieve.lists.train_list import utterance_of
from avsieve.storage.atomic import write_text
from avsieve.storage.ids import is_valid_id
from avsieve.storage.text_files import is_plain, read_lines

# VoxCeleb's labels, and the words of Kaldi's and of other tools' lists.
_TARGET = frozenset({"1", "target", "tgt"})
_LABELS = _TARGET | {"0", "nontarget", "non-target", "imp", "impostor", "imposter"}


class ListName(NamedTuple):
    """Which list this is; the version belongs to every figure, since the uncleaned lists hold wrong labels."""

    name: str
    version: str


# (trials, targets) -> list. VoxCeleb1's official lists: Nagrani et al. 2017, Chung et al. 2018; cleaned ones by VGG.
KNOWN_LISTS = {
    (37_720, 18_860): ListName("Vox1-O", "original"),
    (37_611, 18_802): ListName("Vox1-O", "cleaned"),
    (581_480, 290_743): ListName("Vox1-E", "original"),
    (579_818, 289_921): ListName("Vox1-E", "cleaned"),
    (552_536, 276_270): ListName("Vox1-H", "original"),
    (550_894, 275_488): ListName("Vox1-H", "cleaned"),
}


@dataclass(frozen=True)
class Trials:
    """A trial list.

    Attributes
    ----------
    utterances
        The U utterances that occur, in the order of their first appearance, without ``.wav``.
    enrol, test
        (T,) int64, positions in ``utterances``.
    is_target
        (T,) bool.
    """

    utterances: list[str]
    enrol: np.ndarray
    test: np.ndarray
    is_target: np.ndarray

    def __len__(self) -> int:
        return len(self.is_target)

    @property
    def n_targets(self) -> int:
        """Number of target trials."""
        return int(self.is_target.sum())

    def speakers(self) -> tuple[list[str], np.ndarray]:
        """Return the S speakers, sorted, and each utterance's position among them, (U,) int64."""
        codes, names = pd.factorize(np.array([u.split("/", 1)[0] for u in self.utterances], dtype=object), sort=True)
        return names.tolist(), codes.astype(np.int64)

    def recognise(self, otherwise: str = "trials") -> ListName:
        """Name the list by its counts: VoxCeleb1-O, E or H, original or cleaned; else ``otherwise`` and no version."""
        return KNOWN_LISTS.get((len(self), self.n_targets), ListName(otherwise, "-"))


def make_trial_list(labels: list[bool] | np.ndarray, enrol: list[str], test: list[str]) -> Trials:
    """Build `Trials` from one label and two utterance ids per trial."""
    codes, names = pd.factorize(np.array(enrol + test, dtype=object))
    return Trials(names.tolist(), codes[: len(enrol)], codes[len(enrol) :], np.asarray(labels, dtype=bool))


def read_trials(path: str | Path, strip_prefix: str | None = None) -> Trials:
    """Read ``label enrol test`` lines, or Kaldi's ``enrol test label``; labels are numbers or words.

    Blank lines are skipped. The ending of a file is no part of an id; see `avsieve.lists.train_list.utterance_of`.

    Parameters
    ----------
    strip_prefix
        Beginning of the names that is no part of an id.

    Raises
    ------
    ListError
        If the file is absent, empty or no text, or a line has not three fields, no label, or an id that is not
        ``speaker/video/utterance``. The message names the line.
    """
    path = Path(path)
    if path.is_file() and (reason := left_out(path)):
        raise ListError(f"{path}: no trials were made: {reason}")
    columns = (_read_regular(path) if path.is_file() else None) or _read_lines(path)
    ids = pa.chunked_array(columns["enrol"].chunks + columns["test"].chunks).combine_chunks().dictionary_encode()
    ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    names = pa.array([utterance_of(name, strip_prefix) for name in ids.dictionary.to_pylist()], pa.string())
    valid = np.array([is_valid_id(name) for name in names.to_pylist()], dtype=bool)
    codes = ids.indices.to_numpy().astype(np.int64)
    enrol, test = codes[: len(codes) // 2], codes[len(codes) // 2 :]
    if not valid.all():
        i = int(np.flatnonzero(~valid[enrol] | ~valid[test])[0])
        name = names[int(test[i] if valid[enrol[i]] else enrol[i])].as_py()
        raise ListError(f"{path}, line {_line_of(path, i)}: id {name!r}, expected speaker/video/utterance")
    if len(pc.unique(names)) < len(names):  # some ids occur with several endings
        merged = names.dictionary_encode()
        new = merged.indices.to_numpy().astype(np.int64)
        enrol, test, names = new[enrol], new[test], merged.dictionary
    return Trials(names.to_pylist(), enrol, test, pc.is_in(columns["label"], pa.array(sorted(_TARGET))).to_numpy())


def _read_regular(path: Path) -> pa.Table | None:
    """Read a list of exactly three fields a line and one blank or tab between, fast; None where it is otherwise."""
    if not is_plain(path):
        return None
    for delimiter in (" ", "\t"):
        for order in (("label", "enrol", "test"), ("enrol", "test", "label")):
            table = _read_columns(path, order, delimiter)
            if table is None:
                break
            if set(pc.unique(table["label"]).to_pylist()) <= _LABELS and all(
                pc.min(pc.binary_length(table[side])).as_py() for side in ("enrol", "test")
            ):
                return table
    return None


def _read_columns(path: Path, order: tuple[str, ...], delimiter: str) -> pa.Table | None:
    try:
        return pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=list(order)),
            parse_options=pacsv.ParseOptions(delimiter=delimiter, quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(
                column_types=dict.fromkeys(order, pa.string()), strings_can_be_null=False
            ),
        )
    except pa.ArrowInvalid:
        return None


def _read_lines(path: Path) -> pa.Table:
    """Read line by line: the way that takes any blanks and encodings and can say which line is wrong."""
    columns: dict[str, list[str]] = {"label": [], "enrol": [], "test": []}
    order: tuple[str, ...] | None = None
    for number, line in read_lines(path, "trial list"):
        fields = line.split()
        if len(fields) != 3:
            raise ListError(f"{path}, line {number}: {len(fields)} fields, expected 3: label enrol.wav test.wav")
        if order is None:  # the label stands at the same place in all lines
            kaldi = fields[0].lower() not in _LABELS and fields[2].lower() in _LABELS
            order = ("enrol", "test", "label") if kaldi else ("label", "enrol", "test")
        row = dict(zip(order, fields, strict=True))
        row["label"] = row["label"].lower()
        if row["label"] not in _LABELS:
            raise ListError(
                f"{path}, line {number}: label {row['label']!r}, expected 1 or 0, target or nontarget: first in the "
                "line, or last as Kaldi has it, and so in all lines"
            )
        for column, field in row.items():
            columns[column].append(field)
    if not columns["label"]:
        raise ListError(f"{path}: no trials; expected lines of label enrol.wav test.wav")
    return pa.table({name: pa.chunked_array([values], pa.string()) for name, values in columns.items()})


def _line_of(path: Path, trial: int) -> int:
    """Return the number of the line that holds a trial, blank lines counted."""
    return [number for number, _ in read_lines(path, "trial list")][trial]


LEFT_OUT = "# no trials: "
"""How the list of a run begins that has nobody to test; the reason follows."""


def write_no_trials(path: str | Path, reason: str) -> None:
    """Write in place of a trial list why there is none."""
    write_text(path, f"{LEFT_OUT}{' '.join(reason.split())}\n")


def left_out(path: str | Path) -> str | None:
    """Return why a run has no trials, as `write_no_trials` wrote it; None for a list of trials."""
    with Path(path).open("rb") as handle:
        head = handle.read(2000).decode("utf-8", "replace")
    return head.removeprefix(LEFT_OUT).strip() if head.startswith(LEFT_OUT) else None


def write_trials(path: str | Path, trials: Trials) -> None:
    """Write the list as VoxCeleb's ``veri_test.txt`` is written: ``1 id10270/5r0dWxy17C8/00001.wav id10270/…``."""
    wavs = [f"{u}.wav" for u in trials.utterances]
    lines = zip(trials.is_target.tolist(), trials.enrol.tolist(), trials.test.tolist(), strict=True)
    write_text(path, "".join(f"{label:d} {wavs[e]} {wavs[t]}\n" for label, e, t in lines))

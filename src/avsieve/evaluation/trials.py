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

from avsieve.atomic import write_text
from avsieve.errors import ListError
from avsieve.ids import ID_PATTERN

_LABELS = {"0", "1"}


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


def read_trials(path: str | Path) -> Trials:
    """Read ``label enrol test`` lines; blank lines are skipped, and a final ``.wav`` is not part of an id.

    Raises
    ------
    ListError
        If the file is absent or empty, or a line has not three fields, a label other than 0 and 1, or an id that is not
        ``speaker/video/utterance``. The message names the line.
    """
    path = Path(path)
    if not path.exists():
        raise ListError(f"{path}: no such trial list")
    columns = _read_regular(path) or _read_lines(path)
    ids = pa.chunked_array(columns["enrol"].chunks + columns["test"].chunks).combine_chunks().dictionary_encode()
    ids = pa.concat_arrays(ids.chunks) if isinstance(ids, pa.ChunkedArray) else ids
    names = pc.replace_substring_regex(ids.dictionary, r"\.wav$", "")
    valid = pc.match_substring_regex(names, f"^{ID_PATTERN}$").to_numpy(zero_copy_only=False)
    codes = ids.indices.to_numpy().astype(np.int64)
    enrol, test = codes[: len(codes) // 2], codes[len(codes) // 2 :]
    if not valid.all():
        i = int(np.flatnonzero(~valid[enrol] | ~valid[test])[0])
        name = names[int(test[i] if valid[enrol[i]] else enrol[i])].as_py()
        raise ListError(f"{path}, line {_line_of(path, i)}: id {name!r}, expected speaker/video/utterance")
    if len(pc.unique(names)) < len(names):  # some ids occur with and without .wav
        merged = names.dictionary_encode()
        new = merged.indices.to_numpy().astype(np.int64)
        enrol, test, names = new[enrol], new[test], merged.dictionary
    is_target = pc.equal(columns["label"], "1").to_numpy()
    return Trials(names.to_pylist(), enrol, test, is_target)


def _read_regular(path: Path) -> pa.Table | None:
    """Read a list of exactly three fields a line and one blank between, fast; None where a line is otherwise."""
    schema = {"label": pa.string(), "enrol": pa.string(), "test": pa.string()}
    try:
        table = pacsv.read_csv(
            path,
            read_options=pacsv.ReadOptions(column_names=list(schema)),
            parse_options=pacsv.ParseOptions(delimiter=" ", quote_char=False, ignore_empty_lines=False),
            convert_options=pacsv.ConvertOptions(column_types=schema, strings_can_be_null=False),
        )
    except pa.ArrowInvalid:
        return None
    regular = set(pc.unique(table["label"]).to_pylist()) <= _LABELS and all(
        pc.min(pc.binary_length(table[side])).as_py() for side in ("enrol", "test")
    )
    return table if regular else None


def _read_lines(path: Path) -> pa.Table:
    """Read line by line: the way that takes any blanks and can say which line is wrong."""
    columns: dict[str, list[str]] = {"label": [], "enrol": [], "test": []}
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        fields = line.split()
        if not fields:
            continue
        if len(fields) != 3:
            raise ListError(f"{path}, line {number}: {len(fields)} fields, expected 3: label enrol.wav test.wav")
        if fields[0] not in _LABELS:
            raise ListError(
                f"{path}, line {number}: label {fields[0]!r}, expected 1 (target) or 0 (nontarget); "
                "Kaldi's order (enrol test target) has to be turned round first"
            )
        for column, field in zip(columns.values(), fields, strict=True):
            column.append(field)
    if not columns["label"]:
        raise ListError(f"{path}: no trials; expected lines of label enrol.wav test.wav")
    return pa.table({name: pa.chunked_array([values], pa.string()) for name, values in columns.items()})


def _line_of(path: Path, trial: int) -> int:
    """Return the number of the line that holds a trial, blank lines counted."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [i for i, line in enumerate(lines, start=1) if line.split()][trial]


def write_trials(path: str | Path, trials: Trials) -> None:
    """Write the list as VoxCeleb's ``veri_test.txt`` is written: ``1 id10270/5r0dWxy17C8/00001.wav id10270/…``."""
    wavs = [f"{u}.wav" for u in trials.utterances]
    lines = zip(trials.is_target.tolist(), trials.enrol.tolist(), trials.test.tolist(), strict=True)
    write_text(path, "".join(f"{label:d} {wavs[e]} {wavs[t]}\n" for label, e, t in lines))

"""Files that are not what they are called, or not whole: one line, and nothing of them is run."""

from __future__ import annotations

import argparse
import os
import pickle
import random
import struct
import subprocess
import sys
import warnings
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from avsieve.cli import cleanse, evaluate
from avsieve.embedding_files.formats import FORMATS
from avsieve.embedding_files.places import folder_state, table_files
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.embedding_files.table import EmbeddingTable
from avsieve.errors import AvsieveError
from tests import nursery

from . import made
from .made import NAMES, VECTORS

# What the commands load.
LOADED = ("avsieve.cli.cleanse", "avsieve.cli.evaluate", "avsieve.cleansing.anchor_ranks", "avsieve.cleansing.write")
LOADED += ("avsieve.cleansing.table", "avsieve.embedding_files.reading", "avsieve.evaluation.command", "scipy.linalg")
PAGE = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
SUFFIXES = [suffix for entry in FORMATS.values() for suffix in entry.suffixes]


def refuse(source: object, match: str, **options: object) -> str:
    with pytest.raises(AvsieveError, match=match) as caught:
        read_tables(source, **options)
    text = str(caught.value)
    assert "\n" not in text
    assert len(text) < 900
    return text


def outcome(source: object, **options: object) -> tuple[EmbeddingTable | None, str]:
    """Return the table, or the one line in its place."""
    try:
        with warnings.catch_warnings(action="ignore"):
            return read_tables(source, **options), ""
    except AvsieveError as error:
        return None, str(error)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_empty_files_and_web_pages_are_named_as_such(tmp_path, suffix):
    (tmp_path / f"t{suffix}").write_bytes(b"")
    refuse(tmp_path / f"t{suffix}", rf"t\{suffix}: .*it is empty \(0 bytes\)|t\{suffix}: vectors without names")
    (tmp_path / f"t{suffix}").write_bytes(PAGE)
    refuse(tmp_path / f"t{suffix}", rf"t\{suffix}: .*it is a web page|t\{suffix}: vectors without names")


@pytest.mark.parametrize("save", [name for name in made.SAVE if name not in ("npy", "folder")])
def test_half_a_file_is_told(tmp_path, save):
    path = made.SAVE[save](tmp_path, NAMES, VECTORS).removeprefix("ark:")
    data = Path(path).read_bytes()
    Path(path).write_bytes(data[: len(data) // 2 - 3])
    if save in ("comma", "scp"):  # lines are whole or not
        table, text = outcome(path)
        assert path in text if table is None else len(table.utterance) < len(NAMES)
    else:
        refuse(path, Path(path).name)


@pytest.mark.parametrize(
    ("data", "name", "message"),
    [
        (b"\x1f\x8b\x08\x00xxxx", "t.csv.gz", "packed with gzip: unpack it"),
        (b"\x89HDF\r\n\x1a\n" + bytes(99), "t.h5", "an HDF5 file: save names and vectors as npz"),
        (bytes(5000), "t.bin", "nothing but zeros"),
        (b"ARROW1\0\0" + bytes(99), "t.feather", "a Feather file: save it as Parquet"),
        (b"plain words without any number\n", "t.dat", "text, in no format that is known"),
        (b"RIFF....WAVE", "t.npz", "not an npz of plain arrays"),
    ],
)
def test_other_kinds_of_files_are_named_with_a_remedy(tmp_path, data, name, message):
    (tmp_path / name).write_bytes(data)
    refuse(tmp_path / name, message)


def test_what_is_not_there_or_no_file_is_told(tmp_path):
    refuse(tmp_path / "t.npz", "t.npz: no such file of embeddings")
    (tmp_path / "empty").mkdir()
    refuse(tmp_path / "empty", "a folder without .npy files")
    os.mkfifo(tmp_path / "pipe.npz")
    refuse(tmp_path / "pipe.npz", "neither a file nor a folder")
    refuse("/dev/zero", "neither a file nor a folder")


@pytest.mark.parametrize(
    ("arrays", "message"),
    [
        ({"utterance": np.array(NAMES)}, "no array 'embedding'; found utterance; tell other names .--names-key"),
        ({"names": np.array(NAMES), "vectors": VECTORS}, "no array 'utterance' and 'embedding'; found names, vectors"),
        ({"utterance": np.array(NAMES, dtype=object), "embedding": VECTORS}, "'utterance' is an array of objects"),
        ({"utterance": np.array(NAMES), "embedding": VECTORS.astype(object)}, "'embedding' is an array of objects"),
        ({"utterance": np.array(NAMES[:1]), "embedding": VECTORS}, "1 names but 72 vectors"),
        (
            {"utterance": np.arange(72), "embedding": VECTORS},
            "'utterance' is int64 of shape .72,.; expected .N,. strings",
        ),
        ({"utterance": np.array(NAMES), "embedding": VECTORS[:, 0]}, "'embedding' has the shape .72,. for 72 names"),
        ({"utterance": np.array([]), "embedding": VECTORS[:0]}, "no embedding that can be used .no rows."),
        ({"utterance": np.array(NAMES[:0]), "embedding": VECTORS[:0]}, "no embedding that can be used .no rows."),
        (
            {"utterance": np.array(NAMES), "embedding": VECTORS * np.nan},
            "72 cannot be used, such as .*row 1: NaN among",
        ),
        ({}, "an npz without arrays"),
    ],
)
def test_an_npz_of_other_arrays_is_told(tmp_path, arrays, message):
    np.savez(tmp_path / "t.npz", **arrays)
    refuse(tmp_path / "t.npz", message)


def test_lines_do_not_grow_with_the_number_of_names(tmp_path):
    made.lists(tmp_path)
    named = {u.replace("/", "-"): v for u, v in zip(NAMES, VECTORS, strict=True)}
    np.savez(tmp_path / "by_name.npz", **named)
    np.savez(tmp_path / "mixed.npz", utterance=np.array(NAMES), **named)
    (tmp_path / "long.pkl").write_bytes(pickle.dumps(dict.fromkeys(NAMES, "text" * 1000)))
    refuse(tmp_path / "mixed.npz", "found utterance, id00000-vid0-00000, .* and 68 more")
    refuse(tmp_path / "long.pkl", "and 67 more")
    for verb in ("evaluate", "cleanse"):
        ended = run(verb, tmp_path, "by_name.npz")
        assert ended.returncode == 1
        assert "the table's: id00000-vid0-00000" in ended.stderr


def run(verb: str, folder: Path, table: str, cold: bool = False) -> subprocess.CompletedProcess[str]:
    """Run a command; ``cold``: in a Python of its own, which may say something while it loads packages."""
    words = {"evaluate": ["--trials", "trials.txt"], "cleanse": ["--train-list", "train.txt", "--out", "o"]}[verb]
    words = [verb, *words, "--audio", table]
    if not cold:
        return nursery.run("avsieve", *words, loaded=LOADED, cwd=folder)
    command = [sys.executable, "-m", "avsieve", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("verb", ["evaluate", "cleanse"])
def test_the_commands_end_with_one_line_and_status_one(tmp_path, verb):
    made.lists(tmp_path)
    whole = Path(made.npz(tmp_path, NAMES, VECTORS)).read_bytes()
    for name, data in {"half.npz": whole[: len(whole) // 2], "page.npz": PAGE, "empty.npz": b""}.items():
        (tmp_path / name).write_bytes(data)
        ended = run(verb, tmp_path, name, cold=name == "half.npz")
        assert (ended.returncode, ended.stdout) == (1, "")
        assert ended.stderr.count("\n") == 1
        assert ended.stderr.startswith(f"error: {name}: not an npz of plain arrays")


def test_a_wrong_path_is_told_before_another_table_is_read(tmp_path, monkeypatch):
    made.lists(tmp_path)
    good = made.npz(tmp_path, NAMES, VECTORS)
    monkeypatch.setattr("avsieve.embedding_files.reading._read", lambda *_: pytest.fail("a table was read"))
    for module, words in (
        (cleanse, ["--train-list", str(tmp_path / "train.txt"), "--out", str(tmp_path / "o")]),
        (evaluate, ["--trials", str(tmp_path / "trials.txt")]),
    ):
        parser = argparse.ArgumentParser()
        module.add_arguments(parser)
        with pytest.raises(AvsieveError, match=r"b\.npz: no such file of embeddings"):
            module.run(parser.parse_args([*words, "--audio", good, "--visual", str(tmp_path / "b.npz")]))


class Runs:
    def __init__(self, call, arguments):
        self.what = (call, arguments)

    def __reduce__(self):
        return self.what


HOSTILE = {
    "command": lambda mark: pickle.dumps({NAMES[0]: Runs(os.system, (f"touch {mark}",))}),
    "write": lambda mark: pickle.dumps(Runs(open, (str(mark), "w"))),
    "evaluate": lambda mark: pickle.dumps(Runs(eval, (f"open({str(mark)!r}, 'w')",))),
    "old opcodes": lambda mark: f"cos\nsystem\n(S'touch {mark}'\ntR.".encode(),
    "instance": lambda mark: f"(S'touch {mark}'\nios\nsystem\n.".encode(),
    "object": lambda mark: b"\x80\x02(cos\nsystem\n" + f"S'touch {mark}'\no.".encode(),
    "dotted": lambda mark: b"\x80\x04\x8c\x05numpy\x8c\x0bcore.os.sys\x93" + f"(S'touch {mark}'\ntR.".encode(),
    "numpy": lambda mark: f"cnumpy.f2py\ncapi_maps\n(S'touch {mark}'\ntR.".encode(),
    "getattr": lambda mark: b"c__builtin__\ngetattr\n(c__builtin__\nlist\nS'append'\ntR.",
    "state": lambda mark: b"\x80\x02cnumpy\nndarray\n}S'call'\nI1\nsb.",
}


@pytest.mark.parametrize("kind", list(HOSTILE))
@pytest.mark.parametrize("suffix", [".pkl", ".pk", ".pt", ".bin"])
def test_no_pickle_runs_anything(tmp_path, kind, suffix):
    mark = tmp_path / "ran"
    (tmp_path / f"t{suffix}").write_bytes(HOSTILE[kind](mark))
    refuse(tmp_path / f"t{suffix}", f"t{suffix}: ")
    assert not mark.exists()


def test_pickles_of_other_libraries_are_refused_with_advice(tmp_path):
    for value, advice in (
        ({NAMES[0]: torch.zeros(3)}, r"torch\..*save them with torch.save"),
        (pd.DataFrame({"utterance": NAMES}), r"pandas\..*save it with to_parquet"),
        ({NAMES[0]: np.array([object()])}, "only plain numbers|asks for builtins.object"),
        ({NAMES[0]: {"a": VECTORS[0]}}, "expected 'utterance' and 'embedding', or a vector for each name"),
        ([1, 2], "holds a list; expected a dictionary"),
        ({}, "an empty dictionary"),
    ):
        (tmp_path / "t.pkl").write_bytes(pickle.dumps(value))
        refuse(tmp_path / "t.pkl", advice)


def test_torch_files_that_hold_more_than_tensors_are_refused(tmp_path):
    mark = tmp_path / "ran"
    for value in ({NAMES[0]: Runs(os.system, (f"touch {mark}",))}, {NAMES[0]: Path("x")}):
        for new in (True, False):
            torch.save(value, tmp_path / "t.pt", _use_new_zipfile_serialization=new)
            refuse(tmp_path / "t.pt", "holds more than tensors and text, which could run code")
    assert not mark.exists()
    torch.save(torch.zeros(3, 4), tmp_path / "t.pt")
    refuse(tmp_path / "t.pt", "a tensor without names")
    torch.save({NAMES[0]: torch.zeros(3, dtype=torch.int64)}, tmp_path / "t.pt")
    refuse(tmp_path / "t.pt", "holds int64 numbers; expected floats")


@pytest.mark.parametrize("line", ["cat {mark} |", "touch {mark} |", "| touch {mark}", "touch {mark}; cat x.ark:5 |"])
def test_commands_in_script_files_are_refused_and_not_run(tmp_path, line):
    mark = tmp_path / "ran"
    (tmp_path / "t.scp").write_text(f"{NAMES[0]} {line.format(mark=mark)}\n")
    refuse(tmp_path / "t.scp", "t.scp: line 1: a command .*commands are never run")
    assert not mark.exists()
    table_files(str(tmp_path / "t.scp"))
    assert not mark.exists()
    refuse(f"scp:touch {mark} |", "a command; commands are never run")
    refuse(f"ark:touch {mark} |", "a command; commands are never run")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("/dev/zero:0", "no file '/dev/zero'"),
        ("/etc/passwd:0", "no vector here"),
        ("../../../etc/passwd", "no file|no vector here"),
        ("t.ark:99999999", "is behind the end"),
        ("t.ark:99999999999999999999999", "no file"),
        ("t.ark:3", "no vector here|the file ends early|an object of the kind"),
        ("t.ark:22[0:3]", "a part of a matrix"),
        ("-", "no file '-'"),
        ("", "expected a name and a place"),
        ("gone.ark:22", "no file 'gone.ark', from here or beside t.scp"),
    ],
)
def test_places_in_archives_that_do_not_exist_are_told(tmp_path, written, message):
    made.ark(tmp_path, NAMES, VECTORS)
    (tmp_path / "t.scp").write_text(f"{NAMES[0]} {written}\n")
    text = refuse(tmp_path / "t.scp", message)
    assert "t.scp: line 1" in text
    assert "root:" not in text


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        (b"\0BFV \x04" + struct.pack("<i", 1 << 30), "the file ends early"),
        (b"\0BFV \x04" + struct.pack("<i", -5), "a length that makes no sense"),
        (b"\0BFM \x04" + struct.pack("<i", 1 << 30) + b"\x04" + struct.pack("<i", 1 << 30), "the file ends early"),
        (b"\0BCM " + struct.pack("<ffii", 0, 1, 1 << 30, 1 << 30), "the file ends early"),
        (b"\0B\x04" + struct.pack("<i", 3), "whole numbers"),
        (b"\0BSM ", "an object of the kind 'SM'"),
        (b"PKL" + pickle.dumps(Runs(os.system, ("true",))), "a pickle, which could run code"),
        (b"NPY\x01\x05hello", "an npy"),
        (b"[ 0.1 word ]\n", "could not convert string"),
        (b"[ 0.1 0.2", "no vector here"),
    ],
)
def test_archives_with_other_things_in_them_are_told(tmp_path, entry, message):
    (tmp_path / "t.ark").write_bytes(NAMES[0].encode() + b" " + entry)
    refuse(tmp_path / "t.ark", f"t.ark: entry 1 .{NAMES[0]}.: {message}")


def test_archives_and_folders_are_what_a_run_depends_on(tmp_path):
    made.ark(tmp_path, NAMES, VECTORS)
    assert table_files(str(tmp_path / "t.scp")) == [str(tmp_path / "t.scp"), str(tmp_path / "t.ark")]
    each = made.folder(tmp_path, NAMES[:3], VECTORS[:3])
    before = folder_state([each])
    assert folder_state([str(tmp_path / "t.ark")]) == ""
    np.save(Path(each) / f"{NAMES[0]}.npy", VECTORS[1])
    assert folder_state([each]) != before


def damaged(data: bytes, rng: random.Random) -> bytes:
    """Flip bits, cut, repeat, or overwrite a part: what disks, networks and editors do."""
    out = bytearray(data)
    kind = rng.randrange(5)
    if kind == 0:
        return bytes(out[: rng.randrange(len(out))])
    if kind == 1:
        at = rng.randrange(len(out))
        return bytes(out[:at] + out[rng.randrange(len(out)) :])
    if kind == 2:
        at, n = rng.randrange(len(out)), rng.randrange(1, 64)
        out[at : at + n] = rng.randbytes(n)
        return bytes(out)
    for _ in range(rng.choice((1, 3, 20))):
        # Half of the flips near the beginning or the end, where the headers are.
        ends = (rng.randrange(min(200, len(out))), len(out) - 1 - rng.randrange(min(600, len(out))))
        at = rng.choice(ends) if rng.random() < 0.5 else rng.randrange(len(out))
        out[at] ^= 1 << rng.randrange(8)
    return bytes(out)


FUZZED = {name: save for name, save in made.SAVE.items() if name not in ("folder",)}


@pytest.mark.parametrize("save", list(FUZZED))
def test_damage_of_any_kind_ends_in_a_table_or_one_line(tmp_path, save):
    source = FUZZED[save](tmp_path, NAMES[:12], VECTORS[:12])
    paths = [Path(p) for p in table_files(source)]
    whole = [p.read_bytes() for p in paths]
    rng = random.Random(save)
    lines = 0
    for case in range(200):
        hit = case % len(paths)
        for k, (path, data) in enumerate(zip(paths, whole, strict=True)):
            path.write_bytes(damaged(data, rng) if k == hit else data)
        table, text = outcome(source, options=Options(several=case % 3 == 0), wanted=NAMES)
        if table is None:
            assert "\n" not in text
            assert 0 < len(text) < 900
            lines += 1
        else:
            assert len(table.utterance) == len(table.embedding)
            assert np.isfinite(table.embedding).all()
    assert lines > 20


@pytest.mark.parametrize("protocol", [0, 2, 4, 5])
def test_damaged_pickles_of_every_protocol(tmp_path, protocol):
    data = pickle.dumps({n: list(v) for n, v in zip(NAMES[:5], VECTORS, strict=False)}, protocol=protocol)
    rng = random.Random(protocol)
    for _ in range(200):
        (tmp_path / "t.pkl").write_bytes(damaged(data, rng))
        table, text = outcome(tmp_path / "t.pkl")
        assert ("\n" not in text and text) if table is None else np.isfinite(table.embedding).all()


def test_a_zip_of_other_files_is_no_table(tmp_path):
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    refuse(tmp_path / "t.npz", "t.npz: ")
    with zipfile.ZipFile(tmp_path / "t.npz", "w") as archive:
        archive.writestr("utterance.npy", "hello")
        archive.writestr("embedding.npy", "hello")
    refuse(tmp_path / "t.npz", "t.npz: ")


@pytest.mark.parametrize(("save", "package"), [("tensors", "torch"), ("safe", "safetensors")])
def test_an_environment_without_the_package_of_a_format_says_so(tmp_path, monkeypatch, save, package):
    source = made.SAVE[save](tmp_path, NAMES, VECTORS)
    monkeypatch.setitem(sys.modules, package, None)
    refuse(source, f"reading it needs {package}, which is not installed here; save it as npz")

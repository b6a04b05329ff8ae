"""The many ways in which people save names and vectors."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections import OrderedDict, defaultdict

import kaldiio
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch

from avsieve.embedding_files.npy import listed_names
from avsieve.embedding_files.raw import Options
from avsieve.embedding_files.reading import read_tables
from avsieve.errors import AvsieveError

from .made import NAMES, VECTORS


def same(table, tolerance=1e-6):
    assert sorted(table.utterance) == sorted(NAMES)
    np.testing.assert_allclose(table.embedding[[table.row[n] for n in NAMES]], VECTORS, atol=tolerance)


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", ">f4", ">f8"])
def test_floats_of_every_size_and_order_are_taken(tmp_path, dtype):
    np.savez(tmp_path / "t.npz", utterance=np.array(NAMES), embedding=VECTORS.astype(dtype))
    table = read_tables(tmp_path / "t.npz")
    assert table.embedding.dtype == (np.float16 if dtype == "f2" else np.float32)
    same(table, 3e-3 if dtype == "f2" else 1e-6)


@pytest.mark.parametrize("dtype", ["i1", "i4", "i8", "u2", "?", "c8"])
def test_other_numbers_are_refused_in_a_line(tmp_path, dtype):
    np.savez(tmp_path / "t.npz", utterance=np.array(NAMES), embedding=VECTORS.astype(dtype))
    (tmp_path / "t.pkl").write_bytes(pickle.dumps(dict(zip(NAMES, VECTORS.astype(dtype), strict=True))))
    for name in ("t.npz", "t.pkl"):
        with pytest.raises(AvsieveError, match=rf"{name}: .*expected floats") as caught:
            read_tables(tmp_path / name)
        assert len(str(caught.value)) < 400 + len(str(tmp_path))


@pytest.mark.parametrize("names", [np.array(NAMES).astype("S"), np.array(NAMES)[:, None], np.array(NAMES)])
@pytest.mark.parametrize("vectors", [VECTORS, VECTORS[:, None], VECTORS[:, None, None]])
def test_bytes_for_names_and_an_axis_too_many_are_taken(tmp_path, names, vectors):
    np.savez(tmp_path / "t.npz", utterance=names, embedding=vectors)
    same(read_tables(tmp_path / "t.npz"))


LABELS = {
    "plain": "\n".join(NAMES),
    "with endings": "".join(f"{n}.m4a\r\n" for n in NAMES),
    "label first": "".join(f"1 {n}.wav\n" for n in NAMES),
    "label last": "".join(f"{n}.wav\t7\t3.2\n" for n in NAMES),
    "commas": "".join(f"{n}.wav,7\n" for n in NAMES),
    "heading": "path,label\n" + "".join(f"{n}.wav,7\n" for n in NAMES),
    "bracketed": f"[{','.join(NAMES)}]",
    "bracketed lines": f"[{', '.join(NAMES[:30])},\n{', '.join(NAMES[30:])}]\n",
    "printed list": str(NAMES),
    "json": "[" + ", ".join(f'"{n}.wav"' for n in NAMES) + "]",
    "backslashes": "\n".join(n.replace("/", "\\") for n in NAMES),
}


@pytest.mark.parametrize("kind", list(LABELS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_lists_of_names_in_every_layout(tmp_path, kind, encoding):
    np.save(tmp_path / "v.npy", VECTORS[:, None])
    (tmp_path / "n.txt").write_bytes(LABELS[kind].encode(encoding))
    same(read_tables(f"{tmp_path / 'v.npy'}:{tmp_path / 'n.txt'}"))


def test_names_may_be_an_array_too_and_counts_must_agree(tmp_path):
    np.save(tmp_path / "v.npy", VECTORS)
    np.save(tmp_path / "n.npy", np.array(NAMES))
    same(read_tables(f"{tmp_path / 'v.npy'}:{tmp_path / 'n.npy'}"))
    (tmp_path / "n.txt").write_text("\n".join(NAMES[:-1]))
    with pytest.raises(AvsieveError, match="71 names but 72 vectors"):
        read_tables(f"{tmp_path / 'v.npy'}:{tmp_path / 'n.txt'}")
    with pytest.raises(AvsieveError, match=r"vectors without names; give both files as .*v\.npy:names\.txt"):
        read_tables(tmp_path / "v.npy")
    (tmp_path / "b.txt").write_text("[]")
    assert listed_names(tmp_path / "b.txt") == []


def test_parquet_in_every_type_that_writers_choose(tmp_path):
    lists = pa.array(VECTORS.tolist(), pa.list_(pa.float64()))
    vectors = {
        "double": lists,
        "large": lists.cast(pa.large_list(pa.float32())),
        "half": pa.FixedSizeListArray.from_arrays(pa.array(VECTORS.astype(np.float16).reshape(-1)), 16),
        "chunked": pa.chunked_array([lists[:10], lists[10:11], lists[11:11], lists[11:]]),
    }
    names = {
        "string": pa.array(NAMES),
        "large": pa.array(NAMES, pa.large_string()),
        "dictionary": pa.array(NAMES).dictionary_encode(),
        "bytes": pa.array([n.encode() for n in NAMES]),
    }
    for i, column in enumerate(vectors.values()):
        for j, utterance in enumerate(names.values()):
            path = tmp_path / f"{i}{j}.parquet"
            pq.write_table(pa.table({"utterance": utterance, "embedding": column}), path, row_group_size=17)
            same(read_tables(path), 3e-3)


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (pa.array([1.0] * 72), "holds double; expected a list of floats"),
        (pa.array(VECTORS.astype(int).tolist()), "holds list<.*int64.*expected a list of floats"),
        (pa.array([[v] for v in VECTORS.tolist()]), "expected a list of floats"),
        (pa.array([{"x": 1.0}] * 72), "holds struct.*expected a list of floats"),
        (pa.array(["0.1 0.2"] * 72), "holds string; expected a list of floats"),
        (pa.array([*VECTORS[:-3].tolist(), [1.0, 2.0], [1.0], [1.0]]), r"row 70 .* has 2 numbers, 69 others have 16"),
    ],
)
def test_parquet_of_other_types_is_refused_in_a_line(tmp_path, column, message):
    pq.write_table(pa.table({"utterance": NAMES, "embedding": column}), tmp_path / "t.parquet")
    with pytest.raises(AvsieveError, match=message):
        read_tables(tmp_path / "t.parquet")


def lines(between, heading=""):
    return heading + "".join(
        f"{n}{between}{between.join(map(repr, map(float, v)))}\n" for n, v in zip(NAMES, VECTORS, strict=True)
    )


TEXTS = {
    "comma": lines(","), "semicolon": lines(";"), "tab": lines("\t"), "blank": lines(" "),
    "closed": lines(",").replace("\n", ",\n"),
    "heading": lines(",", "name," + ",".join(f"e{i}" for i in range(16)) + "\n"),
    "counted": lines(",", "," + ",".join(map(str, range(16))) + "\n"),
    "titles": lines(" ", "utterance embedding\n"),
    "lists": "utterance,embedding\n" + "".join(f'{n},"{v.tolist()}"\n' for n, v in zip(NAMES, VECTORS, strict=True)),
    "printed": "utterance,embedding\n" + "".join(f'{n},"{v}"\n' for n, v in zip(NAMES, VECTORS, strict=True)),
    "kaldi": "".join(f"{n}  [ {' '.join(map(str, v))} ]\n" for n, v in zip(NAMES, VECTORS, strict=True)),
    "index": pd.DataFrame({"utterance": NAMES} | {str(i): VECTORS[:, i] for i in range(16)}).to_csv(),
    "windows": lines(",").replace("\n", "\r\n"),
    "quoted": "".join(f'"{n}","{",".join(map(str, v))}"\n' for n, v in zip(NAMES, VECTORS, strict=True)),
}  # fmt: skip


@pytest.mark.parametrize("kind", list(TEXTS))
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("suffix", [".csv", ".txt"])
def test_text_in_every_layout(tmp_path, kind, encoding, suffix):
    (tmp_path / f"t{suffix}").write_bytes(TEXTS[kind].encode(encoding))
    same(read_tables(tmp_path / f"t{suffix}"), 1e-5)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a/b/1,0.1,0.2\na/b/2,0.1\n", r"line \d \(a/b/\d\) has \d numbers, 1 others have \d"),
        ("a/b/1,0.1,x\na/b/2,0.1,y\na/b/3,0.2,z\n", "line 2: 'y' is not a number"),
        ('a/b/1,"[0.1 0.2 ... 0.3]"\n', "line 1: '...' among the numbers: NumPy cut"),
        ("utterance,embedding\n", "no embedding that can be used"),
        ("\n\n", "no lines"),
    ],
)
def test_text_that_cannot_be_used_is_told_by_line(tmp_path, text, message):
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(AvsieveError, match=message):
        read_tables(tmp_path / "t.csv")


class Strings(dict):
    pass


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
@pytest.mark.parametrize(
    "make",
    [
        lambda: dict(zip(NAMES, VECTORS, strict=True)),
        lambda: {n: list(v) for n, v in zip(NAMES, VECTORS, strict=True)},
        lambda: {n: v.tolist() for n, v in zip(NAMES, VECTORS, strict=True)},
        lambda: dict(zip(np.array(NAMES), VECTORS[:, None], strict=True)),
        lambda: {n.encode(): v for n, v in zip(NAMES, np.asfortranarray(VECTORS), strict=True)},
        lambda: OrderedDict(zip(NAMES, VECTORS.astype(">f8"), strict=True)),
        lambda: defaultdict(list, zip(NAMES, VECTORS, strict=True)),
        lambda: {"utterance": NAMES, "embedding": np.asfortranarray(VECTORS)},
        lambda: {"utterance": np.array(NAMES), "embedding": list(VECTORS)},
        lambda: list(zip(NAMES, VECTORS, strict=True)),
    ],
)
def test_pickles_of_every_protocol(tmp_path, protocol, make):
    (tmp_path / "t.pkl").write_bytes(pickle.dumps(make(), protocol=protocol))
    same(read_tables(tmp_path / "t.pkl"))


def test_a_pickle_may_have_none_for_a_failed_utterance(tmp_path):
    value = dict(zip(NAMES, VECTORS, strict=True)) | {NAMES[3]: None, NAMES[4]: [], NAMES[5]: np.zeros(0, np.float32)}
    (tmp_path / "t.pk").write_bytes(pickle.dumps(value))
    table = read_tables(tmp_path / "t.pk")
    assert sorted(table.rejected) == NAMES[3:6]
    assert {why.reason.value for why in table.rejected.values()} == {"embedding_missing"}


def test_torch_in_every_layout(tmp_path):
    values = [
        {n: torch.from_numpy(v)[None] for n, v in zip(NAMES, VECTORS, strict=True)},
        {n: torch.nn.Parameter(torch.from_numpy(v)) for n, v in zip(NAMES, VECTORS, strict=True)},
        {"utterance": NAMES, "embedding": torch.from_numpy(VECTORS)},
        {"utterance": NAMES, "embedding": list(torch.from_numpy(VECTORS))},
    ]
    for value in values:
        torch.save(value, tmp_path / "t.pt")
        same(read_tables(tmp_path / "t.pt"))
        torch.save(value, tmp_path / "old.pkl", _use_new_zipfile_serialization=False)
        same(read_tables(tmp_path / "old.pkl"))
    torch.save({n: torch.from_numpy(v).bfloat16() for n, v in zip(NAMES, VECTORS, strict=True)}, tmp_path / "b.pth")
    same(read_tables(tmp_path / "b.pth"), 0.05)


@pytest.mark.parametrize("method", [None, 2, 3, 5])
def test_kaldi_matrices_of_one_row_packed_or_not_are_those_that_kaldiio_reads(tmp_path, method):
    table = {n: v[None] for n, v in zip(NAMES, VECTORS, strict=True)}
    kaldiio.save_ark(str(tmp_path / "t.ark"), table, scp=str(tmp_path / "t.scp"), compression_method=method)
    reference = {name: value[0] for name, value in kaldiio.load_ark(str(tmp_path / "t.ark"))}
    for path in ("t.ark", "t.scp"):
        found = read_tables(tmp_path / path)
        assert found.utterance == NAMES
        np.testing.assert_allclose(found.embedding, [reference[n] for n in NAMES], rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("method", [2, 3, 5])
def test_packed_matrices_of_many_rows_are_segments(tmp_path, method):
    value = np.repeat(VECTORS[:12], 2, axis=0)
    kaldiio.save_ark(str(tmp_path / "t.ark"), {NAMES[0]: value}, compression_method=method)
    reference = dict(kaldiio.load_ark(str(tmp_path / "t.ark")))[NAMES[0]]
    found = read_tables(tmp_path / "t.ark", Options(several=True))
    assert found.utterance == [NAMES[0]] * 24
    np.testing.assert_allclose(found.embedding, reference, rtol=1e-5, atol=1e-5)
    with pytest.raises(AvsieveError, match=r"entry 1 .*numbers of shape \(24, 16\); expected one vector"):
        read_tables(tmp_path / "t.ark")


def test_double_vectors_and_several_archives_of_one_script(tmp_path):
    for k in range(2):
        table = {n: v.astype(np.float64) for n, v in list(zip(NAMES, VECTORS, strict=True))[k::2]}
        kaldiio.save_ark(str(tmp_path / f"x_{k}.ark"), table, scp=str(tmp_path / f"x_{k}.scp"))
    (tmp_path / "all.scp").write_text((tmp_path / "x_0.scp").read_text() + (tmp_path / "x_1.scp").read_text())
    same(read_tables(f"scp:{tmp_path / 'all.scp'}"))
    same(read_tables([tmp_path / "x_0.scp", f"ark:{tmp_path / 'x_1.ark'}"]))


@pytest.mark.parametrize("written", ["{}/x.ark", "exp/emb/x.ark", "x.ark", "./x.ark"])
def test_archives_are_found_from_here_or_beside_their_script(tmp_path, monkeypatch, written):
    kaldiio.save_ark(str(tmp_path / "x.ark"), dict(zip(NAMES, VECTORS, strict=True)), scp=str(tmp_path / "x.scp"))
    text = (tmp_path / "x.scp").read_text().replace(f"{tmp_path}/x.ark", written.format(tmp_path))
    (tmp_path / "x.scp").write_text(text)
    monkeypatch.chdir("/")
    same(read_tables(tmp_path / "x.scp"))


def test_an_unknown_suffix_is_told_by_its_content(tmp_path):
    from . import made

    for name, save in made.SAVE.items():
        source = save(tmp_path, NAMES, VECTORS)
        if name in ("npy", "folder", "ark_text"):
            continue
        path = tmp_path / "embeddings.bin"
        path.write_bytes(open(source, "rb").read())  # noqa: PTH123
        same(read_tables(path), 1e-5)
    (tmp_path / "x.bin").write_bytes(bytes(range(256)))
    with pytest.raises(
        AvsieveError, match=r"x.bin: something binary, in no format that is known; expected one of: npz"
    ):
        read_tables(tmp_path / "x.bin")


def test_help_and_configuration_load_nothing_heavy():
    code = "import sys; import avsieve.embedding_files.arguments, avsieve.embedding_files.places; print(*sys.modules)"
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert not {"numpy", "torch", "pyarrow", "pandas"} & set(out)

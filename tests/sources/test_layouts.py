"""Folders in other layouts than VoxCeleb's, tables of clips, and what is said where nothing is found."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
import yaml

from avsieve.config.model import parse_config
from avsieve.errors import AvsieveError, ConfigError, ListError
from avsieve.sources.layout import Layout
from avsieve.sources.scan import scan_folder
from avsieve.sources.tree import fetch, plan
from avsieve.sources.tree.check import check
from avsieve.sources.tree.contract import Tree
from avsieve.sources.tree.table import read_clip_table
from avsieve.wiring.flags import flags
from avsieve.wiring.source import SourceWiring
from tests.sources.blocks import settings


def options(root: Path, layout: str = "speaker/video/utterance", **others: object) -> Tree:
    return settings(Tree, root=root, layout=layout, **others)


def put(root: Path, *names: str) -> Path:
    for name in names:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(b"x")
    return root


@pytest.mark.parametrize(
    ("layout", "name", "utterance"),
    [
        ("speaker/video/utterance", "Anna/v1/take 1", "Anna/v1/take=201"),
        ("speaker/utterance", "Anna/take1", "Anna/take1/take1"),
        ("speaker/*/video/utterance", "Anna/session/v1/take1", "Anna/v1/take1"),
        ("speaker/video/*/utterance", "Anna/v1/front/take1", "Anna/v1/take1"),
        ("speaker/video/utterance/*", "Anna/v1/take1/video", "Anna/v1/take1"),
        ("*/speaker/video/utterance", "dev/Anna/v1/take1", "Anna/v1/take1"),
        ("speaker/video/video/utterance", "Anna/day1/front/take1", "Anna/day1=2Ffront/take1"),
        ("video/speaker/utterance", "v1/Anna/take1", "Anna/v1/take1"),
    ],
)
def test_a_layout_says_which_folder_bears_which_name(tmp_path: Path, layout: str, name: str, utterance: str) -> None:
    put(tmp_path, f"{name}.mp4")
    args = options(tmp_path, layout)
    rows = plan.plan(args)
    assert rows["utterance"].tolist() == [utterance]
    index, status = fetch.fetch(rows, args)
    assert index["path"].tolist() == [f"{name}.mp4"]
    assert status.rows[0]["code"] == "ok"
    back = Layout(layout).path_of(utterance)
    assert back == (None if "*" in layout else name)
    (tmp_path / "l.txt").write_text(f"Anna {utterance}.wav 1.0\nAnna Anna/no/no.wav 1.0\n")
    args = options(tmp_path, layout, train_list=tmp_path / "l.txt")
    index, status = fetch.fetch(plan.plan(args), args)
    assert [r["code"] for r in status.rows] == ["ok", "media_missing"]
    assert index["path"][0] == f"{name}.mp4"
    facts = check(Tree(root=str(tmp_path), layout=layout), "both")
    assert facts.utterances == 1
    assert facts.is_there is not None
    assert (facts.is_there(utterance), facts.is_there("Anna/no/no")) == (True, False)


def test_clips_that_a_layout_cannot_tell_apart_are_rows(tmp_path: Path) -> None:
    put(tmp_path, "Anna/a/v1/1.mp4", "Anna/b/v1/1.mp4", "Anna/b/v1/2.mp4")
    args = options(tmp_path, "speaker/*/video/utterance")
    _, status = fetch.fetch(plan.plan(args), args)
    assert [(r["code"], r["detail"]) for r in status.rows] == [
        ("clip_twice", "Anna/a/v1/1 and Anna/b/v1/1"),
        ("ok", ""),
    ]


@pytest.mark.parametrize("layout", ["video/utterance", "speaker/video", "speaker/clip", "", "speaker/**/utterance"])
def test_a_layout_without_its_words_is_refused_with_the_configuration(layout: str) -> None:
    with pytest.raises(ConfigError, match=r"source\.tree\.layout.*such as speaker/video/utterance"):
        parse_config({"source": {"kind": "tree", "tree": {"root": "x", "layout": layout}}})


@pytest.mark.parametrize(
    ("names", "root", "wanted"),
    [
        (["Anna/1.mp4", "Ben/2.mp4"], ".", r"2 clips lie at depth 2, as Anna/1\.mp4.*layout: speaker/utterance"),
        (
            ["dev/id1/v/1.mp4"],
            ".",
            r"at depth 4, as dev/id1/v/1\.mp4: root is 1 level too high: name .*/dev",
        ),
        (["dev/id1/v/1.mp4", "Test/id2/v/1.mp4"], ".", r"at depth 4.*name .*/(dev|Test); or set source\.tree\.layout"),
        (["Anna/s/v/1.mp4", "Ben/s/v/1.mp4"], ".", r"as Anna/s/v/1\.mp4: set source\.tree\.layout: speaker/\*/video"),
        (["a/mp4/id1/v/1.mp4"], ".", r"root is 2 levels too high: name .*/a/mp4"),
        ([f"id{n}/s/v/1.mp4" for n in range(5)], ".", r"set source\.tree\.layout: speaker/\*/video/utterance or"),
        (["id1/v/1.mp4", "id1/w/1.mp4"], "id1", r"if .*id1 is one speaker's folder, name the folder above it"),
        (["1.mp4"], ".", r"at depth 1, as 1\.mp4.*name a table of the clips as source\.tree\.table"),
        (["id1/v/1.txt"], ".", r"nor at another; it holds 1 \.txt; endings that are taken: \.mp4"),
    ],
)
def test_where_nothing_is_found_it_says_where_clips_lie(
    tmp_path: Path, names: list[str], root: str, wanted: str
) -> None:
    put(tmp_path, *names)
    with pytest.raises(AvsieveError, match=wanted):
        plan.plan(options(tmp_path / root))
    facts = check(Tree(root=str(tmp_path / root)), "both")
    errors = [f.text for f in facts.findings if f.level == "error"]
    assert len(errors) == 1
    assert "no clip at depth 3" in errors[0]


def test_what_is_passed_over_is_counted_by_kind_and_told_by_run_and_doctor(tmp_path: Path, caplog) -> None:
    caplog.set_level(logging.INFO)
    put(tmp_path, "id1/v/1.mp4", "id1/v/1.txt", "id1/v/2.txt", "id1/v/.3.mp4", "$RECYCLE.BIN/S-1/$R1.mp4", "id1/x.csv",
        "id1/v/deep/er/1.mp4", "id2/note.json", "id1/v/Thumbs.db", "lost+found/v/1.mp4", "README")  # fmt: skip
    rows = plan.plan(options(tmp_path))
    assert rows["utterance"].tolist() == ["id1/v/1"]
    run = [r.message for r in caplog.records]
    doctor = [f.text for f in check(Tree(root=str(tmp_path)), "both").findings]
    kinds = "3 of the system, 2 .txt, 1 without an ending, 1 hidden, 1 .csv, 1 .json"
    for wanted in (
        f"passed over as no clips: {kinds}, such as id1/v/1.txt",
        "1 clip is passed over, at another depth than speaker/video/utterance: 1 clip lies at depth 5, as id1",
        "1 of 2 folders hold no clip, as id2",
    ):
        assert [m for m in run if wanted in m], (wanted, run)
        assert [m for m in doctor if wanted in m], (wanted, doctor)


def test_folders_that_cannot_be_listed_stop_and_are_counted(tmp_path: Path, monkeypatch) -> None:
    put(tmp_path, "id1/v/1.mp4", "id2/v/1.mp4", "id3/v/1.mp4")
    from avsieve.sources import scan

    real = scan.os.scandir

    def refuse(path: str):
        if Path(path).name in ("id2", "id3"):
            raise PermissionError(13, "Permission denied")
        return real(path)

    monkeypatch.setattr(scan.os, "scandir", refuse)
    with pytest.raises(AvsieveError, match=r"2 of the folders below .* cannot be listed, as .*id2 \(Perm"):
        plan.plan(options(tmp_path))
    facts = check(Tree(root=str(tmp_path)), "both")
    assert any(f.level == "error" and "2 of the folders" in f.text for f in facts.findings)


@pytest.mark.parametrize("test", ["train", ".", "test"])
def test_people_of_the_training_cannot_test(tmp_path: Path, test: str) -> None:
    put(tmp_path, "train/id1/v/1.mp4", "train/id2/v/1.mp4", "test/id1/v/7.mp4")
    if test == ".":
        put(tmp_path, "id2/v/9.mp4")
    with pytest.raises(AvsieveError, match=r"test_root: \d speakers? (is|are) in root too, as id"):
        plan.plan(options(tmp_path / "train", test_root=tmp_path / test))
    facts = check(Tree(root=str(tmp_path / "train"), test_root=str(tmp_path / test)), "both")
    assert any(f.level == "error" and f.subject == "source.tree.test_root" for f in facts.findings)


TABLE = """\
utterance,speaker,video,path,seconds
1,Anna,v1,a/x.mp4,2.5
2,Ben,,b/y.bik,
id1/vA/00001,,,../elsewhere/z.mp4,3
"""


def test_a_table_says_whose_each_clip_is_and_where_it_lies(tmp_path: Path) -> None:
    put(tmp_path, "data/a/x.mp4", "data/b/y.bik", "elsewhere/z.mp4")
    whole = put(tmp_path, "far/w.wav") / "far/w.wav"
    (tmp_path / "t.csv").write_text(
        TABLE + f"take 1,Zoë,,{whole},\nid1/vA/00002,,,nowhere.mp4,\n", encoding="utf-8-sig"
    )
    args = options(tmp_path / "data", table=tmp_path / "t.csv")
    rows = plan.plan(args)
    names = ["Anna/v1/1", "Ben/2/2", "id1/vA/00001", "Zo=C3=AB/take=201/take=201", "id1/vA/00002"]
    assert rows["utterance"].tolist() == names
    index, status = fetch.fetch(rows, args)
    assert [r["code"] for r in status.rows] == ["ok"] * 4 + ["media_missing"]
    assert index["path"].tolist()[:4] == ["a/x.mp4", "b/y.bik", "../elsewhere/z.mp4", str(whole)]
    assert index["duration_s"].tolist()[0] == 2.5
    facts = check(Tree(root=str(tmp_path / "data"), table=str(tmp_path / "t.csv")), "both")
    assert facts.utterances == 5
    assert any("1 of 5 clips that were looked for: not there, as id1/vA/00002" in f.text for f in facts.findings)
    (tmp_path / "l.txt").write_text("id1 id1/vA/00001.wav 4\nAnna Anna/v1/1.wav 5\nBen Ben/x/x.wav 6\n")
    args = options(tmp_path / "data", table=tmp_path / "t.csv", train_list=tmp_path / "l.txt")
    _, status = fetch.fetch(plan.plan(args), args)
    assert [r["code"] for r in status.rows] == ["ok", "ok", "media_missing"]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("utterance,file\n1,x\n", "line 1: columns utterance, file; expected utterance and path"),
        ("utterance,path\n", "no line below the names"),
        ("", "columns none"),
        ("utterance,path\na,x\n", "line 2: no speaker of 'a'"),
        ("utterance,speaker,path\na/b/c,d,x\n", "line 2: utterance 'a/b/c', but speaker 'd'"),
        ("utterance,path\na/b/c,\n", "line 2: no path"),
        ("utterance,path\na/b/c,x\na/b/c,y\n", "line 3: utterance a/b/c is listed in line 2"),
        ("utterance,path\na/b#/c,x\na/b=23/c,y\n", "line 3: utterance a/b=23/c is listed in line 2"),
        ("utterance,path\na/b/c,x,y\n", "line 2: more values than the 2 columns"),
        ("utterance,path,seconds\na/b/c,x,long\n", "line 2: seconds is 'long'"),
        ("utterance,path\na//c,x\n", "line 2: utterance 'a//c'"),
        ("\n \nutterance,file\n", "line 3: columns utterance, file"),
        ("\nutterance,path\n\na/b/c,\n", "line 4: no path"),
        ('utterance,"a\nb"\n', "line 1: columns utterance, a b; expected"),
        ('utterance,path\n\na/b/c,x\na/b/d,"y\na/b/e,z\n', "from line 4 on: quotes that do not fit"),
        ('utterance,path\na/b/c,"x\n' + "a/b/d,y\n" * 20_000, "from line 2 on: quotes that do not fit"),
        ("<html>\n", "a web page instead of a table"),
    ],
)
def test_a_table_that_cannot_be_used_is_told_by_its_line(tmp_path: Path, text: str, wanted: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(ListError, match=wanted) as told:
        read_clip_table(tmp_path / "t.csv")
    assert "\n" not in str(told.value)
    facts = check(Tree(root=str(tmp_path), table=str(tmp_path / "t.csv")), "both")
    assert [f.level for f in facts.findings] == ["error"]


def test_a_table_may_have_semicolons_or_tabs(tmp_path: Path) -> None:
    for separator in ";\t":
        (tmp_path / "t.csv").write_text(f"path{separator}utterance\na, b.mp4{separator}a/b/c\n")
        assert {u: row.path for u, row in read_clip_table(tmp_path / "t.csv").items()} == {"a/b/c": "a, b.mp4"}


@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["plain", "marked"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"], ids=["unix", "windows", "mac"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le", "utf-16-be"])
def test_a_table_is_read_as_any_tool_saves_it(tmp_path: Path, encoding: str, end: str, mark: str) -> None:
    lines = ["", " ", "utterance;path;seconds", "", "id1/v/1;clips/one.mp4;2.5", ";;", '"id1/v/2";"a;b é.mp4";', ""]
    (tmp_path / "t.csv").write_bytes((mark + end.join(lines)).encode(encoding))
    rows = read_clip_table(tmp_path / "t.csv")
    assert rows == {"id1/v/1": ("clips/one.mp4", "2.5"), "id1/v/2": ("a;b é.mp4", "")}


@pytest.mark.parametrize(
    ("content", "wanted"),
    [
        (None, r"no such table for source\.tree\.table \(a CSV with the columns utterance and path\)"),
        ("utterance,path\na/b/c,é\n".encode("latin-1"), "line 2: byte 0xe9 is not UTF-8; save the file as UTF-8"),
        (b"PK\x03\x04", "a zip, or a spreadsheet: save it as plain text"),
        (b"\xff\xfea", "starts like utf-16 but is not"),
    ],
)
def test_a_table_that_is_no_text_is_told_in_one_line(tmp_path: Path, content: bytes | None, wanted: str) -> None:
    if content is not None:
        (tmp_path / "t.csv").write_bytes(content)
    with pytest.raises(ListError, match=wanted) as told:
        read_clip_table(tmp_path / "t.csv")
    assert "\n" not in str(told.value)


def test_a_table_needs_no_root_and_its_content_plans_anew() -> None:
    values = yaml.safe_load("{source: {kind: tree, tree: {table: t.csv}}}")
    wiring = SourceWiring(parse_config(values).source)
    assert wiring.roots == {"train_root": "."}
    assert wiring.plan_files == ["t.csv"]
    assert "--table t.csv" in flags(wiring.settings, leave=wiring.leave_in_fetch)
    with pytest.raises(ConfigError, match=r"tree\.root is missing"):
        parse_config({"source": {"kind": "tree"}})


def test_a_scan_that_takes_too_long_says_what_it_saw(tmp_path: Path) -> None:
    put(tmp_path, *(f"id{n}/v/{k}.mp4" for n in range(6) for k in range(3)))
    scan = scan_folder(tmp_path, look_s=0)
    assert (scan.seen, scan.is_whole, scan.estimate) == (1, False, 18)

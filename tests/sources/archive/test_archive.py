from __future__ import annotations

import io
import os
import resource
import subprocess
import tarfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

import pandas as pd
import pytest

from avsieve.errors import AvsieveError
from avsieve.media.file_identity import ChangedError
from avsieve.media.index import slices_of
from avsieve.media.slices import read_slice
from avsieve.sources.archive import fetch, plan
from avsieve.sources.archive.contract import Archive
from avsieve.sources.archive.members import Member, find_members
from avsieve.sources.archive.parts import find_archives
from tests.sources.blocks import settings

CONTENT = {
    "dev/mp4/id1/vA/00001.mp4": bytes(range(256)) * 20,
    "dev/mp4/id1/vA/00002.mp4": b"second clip " * 300,
    "dev/mp4/id2/vB/00001.mp4": b"third " * 700,
}
OTHERS = {
    "dev/mp4/readme.txt": b"no clip",
    "__MACOSX/dev/mp4/id1/vA/._00001.mp4": b"left by a file manager",
    "__MACOSX/dev/mp4/id1/vA/00003.mp4": b"left by a file manager",
    "dev/mp4/id1/vA/.hidden.mp4": b"hidden",
}


def make_zip(path: Path, members: dict[str, bytes], packing: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", packing) as archive:
        archive.writestr("dev/", b"")
        for name, content in members.items():
            archive.writestr(name, content)
    return path


def make_tar(path: Path, members: dict[str, bytes], form: int = tarfile.GNU_FORMAT) -> Path:
    with tarfile.open(path, "w", format=form) as archive:
        for name, content in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def split(path: Path, cuts: Iterable[int], stem: str) -> str:
    """Cut a file at the given bytes into `stem` + aa, ab, …; return the pattern that names them all."""
    content = path.read_bytes()
    ends = [*cuts, len(content)]
    for i, (start, end) in enumerate(zip([0, *ends], ends, strict=False)):
        (path.parent / f"{stem}a{'abcdefghijklmnop'[i]}").write_bytes(content[start:end])
    path.unlink()
    return str(path.parent / f"{stem}*")


def options(*video: str | Path, **others: object) -> Archive:
    return settings(Archive, video=list(video), **others)


def fetched(args: Archive) -> tuple[pd.DataFrame, dict[str, str], dict[str, bytes]]:
    """Plan and fetch; return the index, the codes, and the bytes that the index points to."""
    index, status = fetch.fetch(plan.plan(args), args)
    codes = status.frame().set_index("utterance")["code"].to_dict()
    slices = slices_of(index, {"train": Path(), "test": Path()})
    rows = zip(index["utterance"], slices, index["size"], strict=True)
    return index, codes, {u: read_slice(media) for u, (media, _), size in rows if size}


WANTED = {name.removeprefix("dev/mp4/").removesuffix(".mp4"): content for name, content in CONTENT.items()}


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_clips_in_a_zip_are_read_in_place(tmp_path: Path, packing: int) -> None:
    index, codes, found = fetched(options(make_zip(tmp_path / "a.zip", CONTENT | OTHERS, packing), verify=True))
    assert found == WANTED
    assert set(codes.values()) == {"ok"}
    assert index["path"].unique().tolist() == [str(tmp_path / "a.zip")]
    assert index["packing"].unique().tolist() == ["deflate" if packing else ""]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_clips_in_a_tar_are_read_in_place_long_names_and_all(tmp_path: Path, form: int) -> None:
    deep = "a folder/" * 8 if form == tarfile.USTAR_FORMAT else "ein-Verzeichnis-mit-ü/" * 20
    members = {deep + name.removeprefix("dev/"): content for name, content in (CONTENT | OTHERS).items()}
    assert fetched(options(make_tar(tmp_path / "a.tar", members, form)))[2] == WANTED


def test_the_parts_of_a_zip_are_one_wherever_they_were_cut(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "a.zip", CONTENT)
    content = whole.read_bytes()
    second, directory = content.index(b"dev/mp4/id1/vA/00002.mp4"), content.index(b"PK\x01\x02")
    cuts = [second - 7, second + 5, second + 900, second + 901, directory - 1, directory + 60, len(content) - 10]
    index, codes, found = fetched(options(split(whole, cuts, "vox2_dev_mp4_part"), verify=True))
    assert found == WANTED
    assert set(codes.values()) == {"ok"}
    # A clip names only the parts that hold it and the header that names it.
    parts = [path.split("|") for path in index["path"]]
    assert [len(p) for p in parts] == [1, 5, 2]
    assert parts[1][0].endswith("partaa")
    assert [len(s.split("|")) for s in index["stamps"]] == [1, 5, 2]


def test_the_parts_of_a_tar_are_one_and_numbers_order_them(tmp_path: Path) -> None:
    content = make_tar(tmp_path / "a.tar", CONTENT).read_bytes()
    for i in range(12):
        (tmp_path / f"b.tar.{i + 1}").write_bytes(content[i * 1024 : (i + 1) * 1024 if i < 11 else None])
    assert [len(a.parts) for a in find_archives([str(tmp_path / "b.tar.*")])] == [12]
    assert fetched(options(tmp_path / "b.tar.*"))[2] == WANTED


def test_a_pattern_may_name_several_archives_of_both_kinds(tmp_path: Path) -> None:
    names = list(CONTENT)
    pattern = split(make_zip(tmp_path / "x.zip", {names[0]: CONTENT[names[0]]}), [400, 800], "x_part")
    make_tar(tmp_path / "y.tar", {names[1]: CONTENT[names[1]]})
    make_zip(tmp_path / "z.zip", {names[2]: CONTENT[names[2]]})
    assert fetched(options(tmp_path / "*"))[2] == WANTED
    assert len(find_archives([str(tmp_path / "*"), pattern])) == 3


def test_a_missing_incomplete_or_swapped_part_is_told_with_the_sizes(tmp_path: Path) -> None:
    whole = make_zip(tmp_path / "a.zip", CONTENT)
    third = whole.read_bytes().index(b"dev/mp4/id2/vB/00001.mp4")
    pattern = split(whole, [2000, 5000, third + 500], "b_part")
    parts = [Path(pattern.replace("*", s)) for s in ("aa", "ab", "ac", "ad")]
    contents = [p.read_bytes() for p in parts]

    def problem() -> str:
        with pytest.raises(AvsieveError) as error:
            plan.plan(options(pattern))
        return str(error.value)

    parts[1].unlink()
    assert "b_partac follows" in problem()
    parts[1].write_bytes(contents[1][:-100])
    assert "lacks 100 bytes that its directory counts on" in problem()
    assert "b_partab (2900 bytes)" in problem()
    parts[1].write_bytes(contents[2])
    parts[2].write_bytes(contents[1])
    assert "in the wrong place" in problem()
    parts[1].write_bytes(contents[1])
    parts[2].write_bytes(contents[2])
    parts[3].write_bytes(contents[3][:-30])
    assert "no directory at its end, so its last part is missing or incomplete" in problem()
    parts[3].unlink()
    assert "no directory at its end" in problem()
    parts[0].unlink()
    assert "begins neither as a zip nor as a tar does: it is a later part, and the first is missing" in problem()


def test_a_tar_that_was_cut_off_is_told(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", CONTENT)
    path.write_bytes(path.read_bytes()[:8000])
    with pytest.raises(AvsieveError, match=r"cannot be read beyond byte \d+ of 8000 .*incomplete"):
        plan.plan(options(path))


def test_what_cannot_be_read_in_place_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tar.gz", "w:gz") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with tarfile.open(tmp_path / "b.txz", "w:xz") as archive:
        archive.addfile(tarfile.TarInfo("x"))
    with pytest.raises(AvsieveError, match=r"compressed by gzip and cannot be read in place; unpack it .*a.tar"):
        plan.plan(options(tmp_path / "a.tar.gz"))
    with pytest.raises(AvsieveError, match="compressed by xz"):
        plan.plan(options(tmp_path / "b.txz"))
    (tmp_path / "s.z01").write_bytes(b"PK\x07\x08PK\x03\x04")
    with pytest.raises(AvsieveError, match=r"zip -s 0 .*s.zip --out .*s-whole.zip"):
        plan.plan(options(tmp_path / "s.*"))
    content = bytearray(make_zip(tmp_path / "last.zip", CONTENT).read_bytes())
    content[content.rindex(b"PK\x05\x06") + 4] = 2  # the number of this segment
    (tmp_path / "last.zip").write_bytes(content)
    with pytest.raises(AvsieveError, match="last segment of a zip that `zip -s` wrote"):
        plan.plan(options(tmp_path / "last.zip"))
    with pytest.raises(AvsieveError, match=r"no file matches .*nothing\*"):
        plan.plan(options(tmp_path / "nothing*"))
    make_zip(tmp_path / "text.zip", OTHERS)
    with pytest.raises(AvsieveError, match=r"text.zip holds no clip of its own"):
        plan.plan(options(tmp_path / "text.zip"))


def test_encrypted_and_otherwise_packed_members_are_rows(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", CONTENT)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("dev/mp4/id3/vC/00001.mp4", b"x" * 500, zipfile.ZIP_LZMA)
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02", content.index(b"PK\x01\x02") + 4) + 8] |= 1  # the first clip's flags
    path.write_bytes(content)
    _, codes, _ = fetched(options(path))
    assert codes == {
        "id1/vA/00001": "archive_packing",
        "id1/vA/00002": "ok",
        "id2/vB/00001": "ok",
        "id3/vC/00001": "archive_packing",
    }


def test_damage_is_a_row_where_checksums_are_compared(tmp_path: Path) -> None:
    for packing in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        path = make_zip(tmp_path / "a.zip", CONTENT, packing)
        content = bytearray(path.read_bytes())
        content[content.index(b"id1/vA/00002.mp4") + 40] ^= 0xFF
        content[content.index(b"PK\x03\x04", content.index(b"id1/vA/00002.mp4")) + 1] ^= 0xFF
        path.write_bytes(content)
        _, codes, _ = fetched(options(path, verify=True))
        assert codes == {"id1/vA/00001": "ok", "id1/vA/00002": "archive_broken", "id2/vB/00001": "archive_broken"}


def test_an_utterance_twice_counts_once_and_under_two_names_is_a_row(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", CONTENT)
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("dev/mp4/id1/vA/00001.mp4")
        info.size = 5
        archive.addfile(info, io.BytesIO(b"newer"))
    assert fetched(options(path))[2] == WANTED | {"id1/vA/00001": b"newer"}
    args = options(path, tmp_path / "b.zip")
    make_zip(tmp_path / "b.zip", {"test/mp4/id1/vA/00001.mp4": b"another", "test/mp4/id3/vC/00001.mp4": b"of its own"})
    _, codes, found = fetched(args)
    assert codes.pop("id1/vA/00001") == "clip_twice"
    assert set(codes.values()) == {"ok"}
    assert found == {u: c for u, c in WANTED.items() if u != "id1/vA/00001"} | {"id3/vC/00001": b"of its own"}
    detail = fetch.fetch(plan.plan(args), args)[1].rows[0]["detail"]
    assert "a.tar: dev/mp4/id1/vA/00001.mp4 and " in detail
    assert detail.endswith("b.zip: test/mp4/id1/vA/00001.mp4")


def test_names_that_lead_elsewhere_only_give_ids(tmp_path: Path) -> None:
    names = ["/etc/x/id1/vA/00001.mp4", "../../id1/vA/00002.mp4", "C:\\x\\id2\\vB\\00001.mp4"]
    members = dict(zip(names, (b"one", b"two", b"three"), strict=True))
    assert fetched(options(make_zip(tmp_path / "a.zip", members)))[2] == {
        "id1/vA/00001": b"one",
        "id1/vA/00002": b"two",
        "id2/vB/00001": b"three",
    }
    with pytest.raises(AvsieveError, match="holds no clip of its own"):
        plan.plan(options(make_zip(tmp_path / "b.zip", {"x/../vA/00001.mp4": b"x"})))


def test_a_list_gives_the_order_and_what_no_archive_has_is_a_row(tmp_path: Path) -> None:
    (tmp_path / "l.txt").write_text("id2 id2/vB/00001.wav 1.5\nid1 id1/vA/00009.wav 2.0\nid1 id1/vA/00001.wav 3.25\n")
    args = options(make_zip(tmp_path / "a.zip", CONTENT), train_list=tmp_path / "l.txt")
    index, codes, _ = fetched(args)
    assert codes == {"id2/vB/00001": "ok", "id1/vA/00009": "media_missing", "id1/vA/00001": "ok"}
    assert index["duration_s"].tolist() == [1.5, 2.0, 3.25]


def test_sound_may_lie_in_archives_of_its_own(tmp_path: Path) -> None:
    video = make_zip(tmp_path / "v.zip", CONTENT)
    sounds = {"id1/vA/00001.m4a": b"sound", "id2/vB/00001.m4a": b"more", "id2/vB/7.m4a": b"alone"}
    pattern = split(make_zip(tmp_path / "a.zip", sounds), [60, 100], "vox2_dev_aac_part")
    args = options(video, audio=[pattern])
    index, codes, _ = fetched(args)
    assert codes == {
        "id1/vA/00001": "ok",
        "id1/vA/00002": "sound_file_missing",
        "id2/vB/00001": "ok",
        "id2/vB/7": "video_file_missing",
    }
    found = [s and read_slice(s) for _, s in slices_of(index, {"train": Path()})]
    assert found == [b"sound", None, b"more", None]
    alone = slices_of(index, {"train": Path()})[3][0]
    assert read_slice(alone) == b"alone"


def test_an_archive_that_changed_after_planning_is_rows(tmp_path: Path) -> None:
    args = options(make_zip(tmp_path / "a.zip", CONTENT))
    rows = plan.plan(args)
    make_zip(tmp_path / "a.zip", {"x/mp4/id1/vA/00001.mp4": b"new", **CONTENT})
    _, status = fetch.fetch(rows, args)
    assert set(status.frame()["code"]) == {"archive_broken"}


def test_a_place_in_the_plan_keeps_blanks_in_paths() -> None:
    member = Member("method 14", 1 << 40, 123, 0xAB, "my data/a b.zip", 77)
    assert plan.places_from_text(plan.places_to_text(None, member)) == (None, member)


def test_a_zip_of_more_than_65535_members_is_listed(tmp_path: Path) -> None:
    members = {f"id{i // 500}/v/{i}.mp4": b"" for i in range(66_000)}
    assert len(find_members(find_archives([str(make_zip(tmp_path / "a.zip", members))]))) == 66_000


def test_a_member_beyond_four_gigabytes_is_found(tmp_path: Path) -> None:
    with (tmp_path / "a.zip").open("wb") as handle:
        handle.truncate(5 << 30)  # a hole, which takes no room
    with zipfile.ZipFile(tmp_path / "a.zip", "a") as archive:
        for name, content in CONTENT.items():
            archive.writestr(name, content)
    content = tmp_path / "a.zip"
    with content.open("r+b") as handle:
        handle.write(b"PK\x03\x04")
    index, _, found = fetched(options(content))
    assert found == WANTED
    assert index["offset"].min() > 5 << 30


def test_archives_with_numbers_for_names_are_never_taken_for_one(tmp_path: Path) -> None:
    for i, (name, content) in enumerate(CONTENT.items()):
        make_zip(tmp_path / f"zip{i}", {name: content})
        make_tar(tmp_path / f"tar{i}", {name: content})
    assert fetched(options(tmp_path / "zip*"))[2] == WANTED
    with pytest.raises(AvsieveError, match=r"several tars, whose names should end with .tar"):
        plan.plan(options(tmp_path / "tar*"))


def test_a_missing_part_of_a_tar_is_told(tmp_path: Path) -> None:
    content = make_tar(tmp_path / "a.tar", CONTENT).read_bytes()
    for i, part in enumerate((content[:4096], content[5000:])):
        (tmp_path / f"b_parta{'ab'[i]}").write_bytes(part)
    with pytest.raises(AvsieveError, match="a part is missing, damaged or in the wrong place"):
        plan.plan(options(tmp_path / "b_part*"))


def test_a_zip_from_the_command_line_tool_is_read(tmp_path: Path) -> None:
    try:
        subprocess.run(["zip", "-v"], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no zip on PATH")
    for name, content in CONTENT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    subprocess.run(["zip", "-qr", "a.zip", "dev"], cwd=tmp_path, check=True)
    assert fetched(options(tmp_path / "a.zip", verify=True))[2] == WANTED


def test_links_in_a_tar_are_the_bytes_that_they_lead_to(tmp_path: Path) -> None:
    path = make_tar(tmp_path / "a.tar", {"./store/0001.bin": b"stored once " * 100, "dev/id1/v/0.mp4": b"plain " * 50})
    links = {
        "dev/id1/v/1.mp4": (tarfile.LNKTYPE, "./store/0001.bin"),
        "dev/id2/v/1.mp4": (tarfile.SYMTYPE, "../../id1/v/1.mp4"),
        "dev/id2/v/2.mp4": (tarfile.SYMTYPE, "/elsewhere/2.mp4"),
        "dev/id2/v/3.mp4": (tarfile.SYMTYPE, "3.mp4"),
    }
    with tarfile.open(path, "a") as archive:
        for name, (kind, target) in links.items():
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, target
            archive.addfile(info)
    _, codes, found = fetched(options(path))
    assert found == dict.fromkeys(["id1/v/1", "id2/v/1"], b"stored once " * 100) | {"id1/v/0": b"plain " * 50}
    assert {u: c for u, c in codes.items() if c != "ok"} == dict.fromkeys(["id2/v/2", "id2/v/3"], "media_missing")


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_what_is_no_file_in_a_tar_is_no_clip(tmp_path: Path, kind: bytes) -> None:
    path = make_tar(tmp_path / "a.tar", CONTENT)
    with tarfile.open(path, "a") as archive:
        info = tarfile.TarInfo("dev/mp4/id3/v/1.mp4")
        info.type, info.devmajor, info.devminor = kind, 1, 3
        archive.addfile(info)
    _, codes, found = fetched(options(path))
    assert found == WANTED
    assert "id3/v/1" not in codes


def test_links_in_a_zip_are_the_bytes_that_they_lead_to(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", CONTENT)
    with zipfile.ZipFile(path, "a") as archive:
        for name, target in {"dev/mp4/id3/v/1.mp4": "../../id1/vA/00001.mp4", "dev/mp4/id3/v/2.mp4": "gone"}.items():
            info = zipfile.ZipInfo(name)
            info.create_system, info.external_attr = 3, 0o120777 << 16
            archive.writestr(info, target)
    _, codes, found = fetched(options(path, verify=True))
    assert found == WANTED | {"id3/v/1": WANTED["id1/vA/00001"]}
    assert {u: c for u, c in codes.items() if c != "ok"} == {"id3/v/2": "media_missing"}


@pytest.mark.parametrize("zeros", [0, 512, 2 << 20, 20 << 20])
def test_a_tar_may_end_with_any_number_of_zeros(tmp_path: Path, zeros: int, caplog: pytest.LogCaptureFixture) -> None:
    path = make_tar(tmp_path / "a.tar", CONTENT)
    with path.open("r+b") as handle:
        handle.truncate(path.stat().st_size + zeros)
    assert fetched(options(path))[2] == WANTED
    assert ("compare its checksum" in caplog.text) == (zeros > 16 << 20)


def test_a_tar_with_records_of_two_megabytes_is_read(tmp_path: Path) -> None:
    for name, content in CONTENT.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(content)
    subprocess.run(["tar", "-b", "4096", "-cf", "a.tar", "dev"], cwd=tmp_path, check=True)
    assert fetched(options(tmp_path / "a.tar"))[2] == WANTED


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_sparse_members_are_rows(tmp_path: Path, form: str) -> None:
    clip = tmp_path / "id1/v/1.mp4"
    clip.parent.mkdir(parents=True)
    with clip.open("wb") as handle:
        handle.truncate(1 << 20)
        handle.seek(1 << 19)
        handle.write(b"x" * 4096)
    (tmp_path / "id1/v/2.mp4").write_bytes(b"plain")
    subprocess.run(["tar", "-S", f"--format={form}", "-cf", "a.tar", "id1"], cwd=tmp_path, check=True)
    _, codes, found = fetched(options(tmp_path / "a.tar"))
    assert codes == {"id1/v/1": "archive_packing", "id1/v/2": "ok"}
    assert found == {"id1/v/2": b"plain"}


def test_upper_case_endings_are_clips_and_the_rest_is_told_by_kind(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO")
    members = {"id1/v/1.MP4": b"one", "id1/v/2.Mp4": b"two", "id1/v/a.txt": b"", "id1/v/b.TXT": b"", "README": b""}
    for path in (make_zip(tmp_path / "A.ZIP", members), make_tar(tmp_path / "B.TAR", members)):
        caplog.clear()
        assert fetched(options(path))[2] == {"id1/v/1": b"one", "id1/v/2": b"two"}
        assert "passed over as no clips: 2 .txt, 1 without an ending" in caplog.text


def streamed(path: Path, members: dict[str, bytes], packing: int) -> Path:
    """Write a zip as to a pipe: checksums stand behind the content."""

    class Pipe(io.RawIOBase):
        def __init__(self) -> None:
            self.file = path.open("wb")

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            return self.file.write(data)  # type: ignore[arg-type]

    with zipfile.ZipFile(Pipe(), "w", packing) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_zip_that_was_written_to_a_pipe_is_read_and_told_from_another(tmp_path: Path, packing: int) -> None:
    args = options(streamed(tmp_path / "a.zip", CONTENT, packing))
    rows = plan.plan(args)
    assert fetched(args)[2] == WANTED
    swapped = dict(zip(CONTENT, [CONTENT[k] for k in sorted(CONTENT, reverse=True)], strict=True))
    streamed(tmp_path / "a.zip", swapped, packing)
    codes = fetch.fetch(rows, args)[1].frame()["code"].tolist()
    assert codes == ["archive_broken", "archive_broken", "archive_broken"]


def forged(path: Path, stat: os.stat_result, size: int) -> None:
    """Give a file the size and time that another had."""
    with path.open("r+b") as handle:
        handle.truncate(size)
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))


@pytest.mark.parametrize("kind", ["stored", "deflated", "streamed", "tar", "pax"])
def test_another_archive_of_the_same_size_and_time_is_never_read(tmp_path: Path, kind: str) -> None:
    def make(path: Path, members: dict[str, bytes]) -> Path:
        if kind in ("tar", "pax"):
            return make_tar(path, members, tarfile.GNU_FORMAT if kind == "tar" else tarfile.PAX_FORMAT)
        if kind == "streamed":
            return streamed(path, members, zipfile.ZIP_STORED)
        return make_zip(path, members, zipfile.ZIP_STORED if kind == "stored" else zipfile.ZIP_DEFLATED)

    same = {name: bytes([i]) * 5000 for i, name in enumerate(CONTENT)}
    path = make(tmp_path / "a.x", same)
    index, codes, found = fetched(options(path))
    assert set(codes.values()) == {"ok"}
    before = path.stat()
    make(path, {name: same[name] for name in reversed(same)})
    forged(path, before, before.st_size)
    read: dict[str, bytes | str] = {}
    for utterance, (media, _) in zip(index["utterance"], slices_of(index, {"train": Path()}), strict=True):
        try:
            read[utterance] = read_slice(media)
        except ChangedError as error:
            read[utterance] = str(error)
    if kind != "deflated":  # the one in the middle lies where it lay
        assert read["id1/vA/00002"] == found["id1/vA/00002"]
    assert all("repacked" in str(read[u]) for u in ("id1/vA/00001", "id2/vB/00001"))


def test_an_archive_of_another_time_is_not_read(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "a.zip", CONTENT)
    index, _, _ = fetched(options(path))
    os.utime(path, ns=(0, 1_000_000_000))
    for media, _ in slices_of(index, {"train": Path()}):
        with pytest.raises(ChangedError, match=r"a.zip: of 1970-01-01 00:00:01.000 UTC, it was of 20"):
            read_slice(media)


def test_only_some_archives_are_open_at_a_time(tmp_path: Path) -> None:
    for i in range(60):
        make_zip(tmp_path / f"{i}.zip", {f"id{i}/v/1.mp4": b"%d" % i})
    args = options(tmp_path / "*.zip")
    rows = plan.plan(args)
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (len(list(Path("/proc/self/fd").iterdir())) + 30, limits[1]))
    try:
        _, status = fetch.fetch(rows, args)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, limits)
    assert set(status.frame()["code"]) == {"ok"}


@pytest.mark.parametrize("checksum", [b"99999999", b"9" * 6 + b"\0 ", b"\xb2 "])
def test_a_head_whose_checksum_is_no_octal_number_is_no_tar(tmp_path: Path, checksum: bytes) -> None:
    content = bytearray(make_tar(tmp_path / "a.tar", CONTENT, tarfile.USTAR_FORMAT).read_bytes())
    content[257:262] = bytes(5)
    content[148 : 148 + len(checksum)] = checksum
    (tmp_path / "a.tar").write_bytes(content)
    with pytest.raises(AvsieveError, match="begins neither as a zip nor as a tar does"):
        find_archives([str(tmp_path / "a.tar")])

import gzip

import pytest

from avsieve.errors import ListError
from avsieve.evaluation.trials import left_out, read_trials, write_no_trials
from avsieve.lists.layouts import read_corpus_list
from avsieve.lists.train_list import utterance_of
from avsieve.storage.text_files import read_lines, read_text, whole_number

IDS = [f"id{s}/v.{v}/0000{u}" for s in range(3) for v in range(2) for u in range(2)]
TRAIN = "".join(f"{u[:3]} {u}.wav 3.5\n" for u in IDS)
TRIALS = "".join(f"{int(a[:3] == b[:3])} {a}.wav {b}.wav\n" for a, b in zip(IDS, IDS[1:] + IDS[:1], strict=True))
SAVED = {
    "plain": lambda text: text.encode(),
    "mark": lambda text: text.encode("utf-8-sig"),
    "utf16": lambda text: text.encode("utf-16"),
    "utf16-be": lambda text: "\ufeff".encode("utf-16-be") + text.encode("utf-16-be"),
    "utf16 without mark": lambda text: text.encode("utf-16-le"),
    "windows": lambda text: text.replace("\n", "\r\n").encode(),
    "old mac": lambda text: text.replace("\n", "\r").encode(),
    "tabs": lambda text: text.replace(" ", "\t").encode(),
    "blank lines": lambda text: ("\n \n" + text.replace("\n", "  \n\n")).encode(),
}


@pytest.fixture
def saved(tmp_path):
    def save(text, how):
        path = tmp_path / "list.txt"
        path.write_bytes(SAVED[how](text))
        return path

    return save


@pytest.mark.parametrize("how", SAVED)
def test_a_list_is_the_same_however_it_is_saved(saved, how):
    frame = read_corpus_list(saved(TRAIN, how))
    assert frame["utterance"].tolist() == IDS
    assert frame["seconds"].tolist() == ["3.5"] * len(IDS)


@pytest.mark.parametrize("how", SAVED)
@pytest.mark.parametrize("ending", ["wav", "m4a", "mp4", "flac", "WAV", ""])
@pytest.mark.parametrize("order", ["voxceleb", "kaldi", "words"])
def test_trials_are_the_same_however_they_are_saved(saved, how, ending, order):
    text = TRIALS.replace(".wav", f".{ending}" if ending else "")
    if order != "voxceleb":
        lines = (line.split() for line in text.splitlines())
        word = {"1": "target", "0": "nontarget"} if order == "words" else {"1": "1", "0": "0"}
        text = "".join(f"{a} {b} {word[label]}\n" for label, a, b in lines)
    trials = read_trials(saved(text, how))
    assert sorted(trials.utterances) == IDS
    assert trials.is_target.tolist() == [line[0] == "1" for line in TRIALS.splitlines()]


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("id1/v/00001.wav", "id1/v/00001"),
        ("id1/v/00001.M4A", "id1/v/00001"),
        ("id1/v/00001", "id1/v/00001"),
        ("id1/v.2019/clip.v2", "id1/v.2019/clip.v2"),
        ("id1/v/00001.part2.wav", "id1/v/00001.part2"),
        ("./id1/v/00001.wav", "id1/v/00001"),
        ("id1\\v\\00001.wav", "id1/v/00001"),
        ("/data/wav/id1/v/00001.wav", "id1/v/00001"),
        ("C:/data/id1/v/00001.wav", "id1/v/00001"),
    ],
)
def test_an_ending_is_no_part_of_an_id_and_other_dots_are(name, found):
    assert utterance_of(name) == found


def test_a_prefix_is_taken_off(saved):
    path = saved(TRAIN.replace(" id", " wav/dev/id"), "plain")
    assert read_corpus_list(path, "wav/dev/")["utterance"].tolist() == IDS
    with pytest.raises(ListError, match="line 1"):
        read_corpus_list(path)


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"{u}.wav {u[:3]}\n" for u in IDS),
        "".join(f"{u.replace('/', '-')} {u[:3]}\n" for u in IDS),
        "".join(f"{u[:3]} {u}.wav\n" for u in IDS),
        "".join(f"{u}.wav\n" for u in IDS),
    ],
    ids=["utt2spk", "utt2spk with hyphens", "speaker wav", "wavs"],
)
def test_lists_without_lengths_name_the_same_utterances(saved, text):
    frame = read_corpus_list(saved(text, "plain"))
    assert frame["utterance"].tolist() == IDS
    assert set(frame["seconds"]) == {""}


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("id1 id1/v/caf\xe9.wav 1\n".encode("latin-1"), "line 1: byte 0xe9 is not UTF-8"),
        (gzip.compress(b"text", mtime=0), "gzip"),
        (b"<!DOCTYPE html><html>404</html>", "a web page"),
        (b"\x00\x01\x02\x00\x00\x00text", "zero bytes"),
        (b"PAR1xxxx", "Parquet"),
    ],
    ids=["latin-1", "gzip", "a page", "zeros", "Parquet"],
)
def test_what_is_no_text_is_told_in_one_line(tmp_path, content, words):
    path = tmp_path / "list.txt"
    path.write_bytes(content)
    for read in (read_text, read_corpus_list, read_trials):
        with pytest.raises(ListError, match=words) as caught:
            read(path)
        assert "\n" not in str(caught.value)


def test_folders_and_missing_files_are_told(tmp_path):
    for path, words in ((tmp_path, "a folder"), (tmp_path / "none", "no such list")):
        with pytest.raises(ListError, match=words):
            list(read_lines(path))


def test_a_run_without_trials_says_why(tmp_path):
    write_no_trials(tmp_path / "trials.txt", "nobody is\nkept")
    assert left_out(tmp_path / "trials.txt") == "nobody is kept"
    with pytest.raises(ListError, match="nobody is kept"):
        read_trials(tmp_path / "trials.txt")
    (tmp_path / "list.txt").write_text(TRIALS)
    assert left_out(tmp_path / "list.txt") is None


def test_whole_numbers_are_ascii_digits() -> None:
    assert [whole_number(text) for text in ("0", "007", "9" * 18)] == [0, 7, 10**18 - 1]
    assert [whole_number(text) for text in ("", "-1", "1.0", "٣", "²", "9" * 19, "9" * 5000)] == [None] * 7

import numpy as np
import pytest

from avsieve.errors import ListError
from avsieve.evaluation.trials import KNOWN_LISTS, Trials, read_trials, write_trials


def write(folder, text):
    path = folder / "trials.txt"
    path.write_text(text)
    return path


def as_tuples(trials):
    names = trials.utterances
    return [(bool(k), names[e], names[t]) for k, e, t in zip(trials.is_target, trials.enrol, trials.test, strict=True)]


def test_reads_voxcelebs_lines_without_the_wav(tmp_path):
    text = (
        "1 id10270/5r0dWxy17C8/00001.wav id10270/x6uYqmx31kE/00001.wav\n0 id10270/5r0dWxy17C8/00001.wav id10300/a-b/2\n"
    )
    trials = read_trials(write(tmp_path, text))
    assert as_tuples(trials) == [
        (True, "id10270/5r0dWxy17C8/00001", "id10270/x6uYqmx31kE/00001"),
        (False, "id10270/5r0dWxy17C8/00001", "id10300/a-b/2"),
    ]
    assert len(trials.utterances) == 3


@pytest.mark.parametrize(
    "text",
    [
        "1 a/b/1.wav a/c/1.wav\r\n0 a/b/1.wav d/c/1.wav\r\n",
        "1 a/b/1.wav a/c/1.wav\n\n0\ta/b/1.wav  d/c/1.wav",
        " 1 a/b/1.wav a/c/1.wav \n0 a/b/1 d/c/1.wav\n\n",
    ],
    ids=["windows", "blank line, tab, no final newline", "spaces, ids with and without wav"],
)
def test_takes_what_editors_do_to_a_list(tmp_path, text):
    trials = read_trials(write(tmp_path, text))
    assert as_tuples(trials) == [(True, "a/b/1", "a/c/1"), (False, "a/b/1", "d/c/1")]
    assert len(trials.utterances) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1 a/b/1 a/c/1\n\n1 a/b/1\n", "line 3: 2 fields, expected 3"),
        ("1 a/b/1 a/c/1\n1 a/b/1 a/c/1 x\n", "line 2: 4 fields"),
        ("1 a/b/1 a/c/1\na/b/1 a/c/1 target\n", "line 2: label 'a/b/1'.*Kaldi"),
        ("1 a/b/1 a/c/1\n\n1 a/b/1 ../etc/passwd\n", "line 3: id '../etc/passwd', expected speaker/video/utterance"),
        ("1 a/b/1 1.wav\n", "line 1: id '1'"),
        ("\n\n", "no trials"),
        ("", "no trials"),
    ],
)
def test_names_the_line_that_is_wrong(tmp_path, text, message):
    with pytest.raises(ListError, match=message):
        read_trials(write(tmp_path, text))


def test_an_absent_list_is_named(tmp_path):
    with pytest.raises(ListError, match="no such trial list"):
        read_trials(tmp_path / "x.txt")


def test_writing_and_reading_gives_the_list_back(tmp_path):
    text = "1 a/b/1.wav a/c/1.wav\n0 d/b/1.wav a/c/1.wav\n1 a/b/1.wav a/b/2.wav\n"
    trials = read_trials(write(tmp_path, text))
    write_trials(tmp_path / "again.txt", trials)
    assert (tmp_path / "again.txt").read_text() == text


def test_recognises_voxcelebs_lists_by_their_counts():
    for (n, targets), name in KNOWN_LISTS.items():
        zeros = np.zeros(n, dtype=np.int64)
        assert Trials(["a/b/c"], zeros, zeros, np.arange(n) < targets).recognise() == name
    one = np.zeros(1, dtype=np.int64)
    assert Trials(["a/b/c"], one, one, one > 0).recognise("mine") == ("mine", "-")

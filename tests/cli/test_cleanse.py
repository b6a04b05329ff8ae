from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from avsieve.cleansing.warning_texts import warnings_in_words
from avsieve.cli import cleanse, main
from avsieve.lists.train_list import write_train_list

SPEAKERS, PER_SPEAKER = 12, 12


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a list of twelve speakers, voices and faces; the face of the sixth clip is a stranger's."""
    out, rng = tmp_path_factory.mktemp("made"), np.random.default_rng(0)
    ids = [f"s{s:02d}/v{u // 3}/{u:05d}" for s in range(SPEAKERS) for u in range(PER_SPEAKER)]
    write_train_list(out / "train.txt", ids, ["4.0"] * len(ids))
    for name in ("audio", "visual"):
        who = np.repeat(np.arange(SPEAKERS), PER_SPEAKER)
        who[5] = SPEAKERS if name == "visual" else 0
        x = 1.6 * rng.normal(size=(SPEAKERS + 1, 48))[who] + rng.normal(size=(len(ids), 48))
        np.savez(out / f"{name}.npz", utterance=np.array(ids), embedding=x.astype(np.float32))
    return out


def call(monkeypatch: pytest.MonkeyPatch, *words: object) -> int:
    """Run the command as a user does; return its exit status."""
    monkeypatch.setattr("sys.argv", ["avsieve", "cleanse", *map(str, words)])
    with pytest.raises(SystemExit) as end:
        main()
    return int(end.value.code or 0)


def without(source: Path, target: Path, rows: list[int], fill: float | None = None) -> Path:
    """Copy a table without some rows, or with rows of one value in their place."""
    arrays = dict(np.load(source))
    if fill is None:
        arrays = {name: np.delete(a, rows, axis=0) for name, a in arrays.items()}
    else:
        arrays["embedding"][rows] = fill
    np.savez(target, **arrays)
    return target


def test_what_was_there_what_was_found_and_why(made, tmp_path, monkeypatch, capsys):
    visual = without(made / "visual.npz", tmp_path / "visual.npz", [20, 21])
    audio = without(made / "audio.npz", tmp_path / "audio.npz", [30], np.nan)
    words = ["--train-list", made / "train.txt", "--audio", audio, "--visual", visual, "--out", tmp_path / "out"]
    assert call(monkeypatch, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "144 utterances of 12 speakers"
    assert lines[1] == "audio: 143 of 144 utterances of the list have an embedding (1 more are NaN, infinite or zero)"
    assert lines[2] == "visual: 142 of 144 utterances of the list have an embedding"
    assert lines[3] == "140 clean, 1 noisy, 3 incomplete; by reason:"
    counts = {line.split()[0]: int(line.split()[1]) for line in lines[4:8]}
    assert counts == {"ok": 140, "no_visual": 2, "embedding_not_finite": 1, "wrong_visual": 1}
    assert any("train_clean.txt 140, train_clean_audio.txt 143, train_clean_visual.txt 141" in line for line in lines)
    assert not any(line.startswith("WARNING") for line in lines)


def test_half_of_the_embeddings_are_a_warning_and_warnings_come_last(made, tmp_path, monkeypatch, capsys):
    half = without(made / "visual.npz", tmp_path / "half.npz", list(range(0, 144, 2)))
    out = tmp_path / "out"
    words = ["--train-list", made / "train.txt", "--audio", made / "audio.npz", "--visual", half, "--out", out]
    assert call(monkeypatch, *words) == 0
    lines = capsys.readouterr().out.splitlines()
    first = next(i for i, line in enumerate(lines) if line.startswith("WARNING"))
    assert all(line.startswith("WARNING: ") for line in lines[first:])
    assert "only 72 of 144 utterances (50.0%) have an embedding of the face" in lines[first]
    summary = json.loads((out / "summary.json").read_text())
    assert summary["coverage"]["visual"]["share"] == 0.5
    assert warnings_in_words(summary)[0].severe


def test_decisions_of_reviewers_are_taken_and_what_is_odd_about_them_is_told(made, tmp_path, monkeypatch, capsys):
    lines = ["utterance,decision,list_sha256", "s00/v1/00005,right,older", "s01/v0/00000,wrong_voice,"]
    (tmp_path / "review.csv").write_text("\n".join(lines) + "\n")
    words = ["--train-list", made / "train.txt", "--audio", made / "audio.npz", "--visual", made / "visual.npz"]
    words += ["--out", tmp_path / "out", "--review", tmp_path / "review.csv"]
    assert call(monkeypatch, *words) == 0
    told = capsys.readouterr().out
    assert "143 clean, 1 noisy, 0 incomplete" in told
    assert "reviewed                         2  a reviewer has decided" in told
    assert "WARNING: 1 review made on another list (list_sha256); they count, if they are still meant: s00/v1" in told
    flagged = [x.split()[1] for x in (tmp_path / "out/train_all_clean.txt").read_text().splitlines() if x[-1] == "0"]
    assert flagged == ["s01/v0/00000.wav"]
    (tmp_path / "review.csv").write_text("utterance,decision\ns00/v1/00005,good\n")
    words[words.index("--out") + 1] = tmp_path / "other"
    assert call(monkeypatch, *words) == 1
    assert "line 2: decision 'good'; expected one of right, wrong_voice" in capsys.readouterr().err
    assert not (tmp_path / "other").exists()


def test_embeddings_of_others_are_counted(made, tmp_path, monkeypatch, capsys):
    lines = (made / "train.txt").read_text().splitlines(keepends=True)
    (tmp_path / "part.txt").write_text("".join(lines[:120]))
    words = ["--train-list", tmp_path / "part.txt", "--audio", made / "audio.npz", "--out", tmp_path / "out"]
    assert call(monkeypatch, *words) == 0
    assert "24 embeddings are of no utterance in it" in capsys.readouterr().out
    assert (tmp_path / "out/train_clean_visual.txt").read_text() == ""
    voices, both = (tmp_path / f"out/{name}.txt" for name in ("train_clean_audio", "train_clean"))
    assert voices.read_text() == both.read_text() != ""


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["--audio", "a.npz", "--policy", "visual"], "policy visual judges faces, and no face embeddings were given"),
        (["--visual", "a.npz", "--policy", "audio"], "no voice embeddings were given"),
        (["--visual", "a.npz", "--policy", "both"], "no voice embeddings were given"),
        (
            ["--audio", "a.npz", "--policy", "most"],
            "--policy: 'most': Input should be 'either', 'audio', 'visual' or 'both'",
        ),
        (["--audio", "a.npz", "--method", "magic"], "--method: 'magic': Input should be 'posterior', "),
        (["--audio", "a.npz", "--threshold", "1.5"], "--threshold: '1.5': Input should be less than or equal to 1"),
        (["--audio", "a.npz", "--threshold", "nan"], "--threshold: 'nan': Input should be"),
        (
            ["--audio", "a.npz", "--options", '{"round": 3}'],
            "posterior: unknown option 'round'; it has rounds, sceptical, seed",
        ),
        (["--audio", "a.npz", "--options", '{"rounds": "many"}'], "expected a whole number, at least 1"),
        (["--audio", "a.npz", "--options", "[]"], "expected a JSON object"),
        ([], "neither --audio nor --visual was given"),
    ],
)
def test_what_cannot_be_is_refused_before_anything_is_read_or_written(words, message, tmp_path, monkeypatch, capsys):
    # Neither list nor table is there: whoever opened one would say that.
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "--train-list", "none.txt", "--out", "out", *words) != 0
    error = capsys.readouterr().err
    assert message in error.splitlines()[-1]
    assert "Traceback" not in error
    assert not (tmp_path / "out").exists()


def test_a_file_in_the_place_of_the_folder_is_refused_and_kept(made, tmp_path, monkeypatch, capsys):
    (tmp_path / "out").write_text("mine")
    words = ["--train-list", made / "train.txt", "--audio", made / "audio.npz", "--out", tmp_path / "out"]
    assert call(monkeypatch, *words) == 1
    assert capsys.readouterr().err.splitlines()[-1] == f"error: --out {tmp_path / 'out'} is a file; name a folder"
    assert (tmp_path / "out").read_text() == "mine"


@pytest.mark.parametrize(
    ("rows", "fill", "code", "said"),
    [
        ([], None, 1, "no lines; expected"),
        ([0], None, 0, "NOTHING WAS JUDGED"),
        (range(0, 144, 12), None, 0, "12  the speaker has no other utterance; kept"),
        (range(12), None, 0, "were judged by a simpler rule"),
        ([u for u in range(144) if u % 12 < 3], None, 0, "36 utterances of 12 speakers"),
        (range(12), 1.0, 0, "the embeddings do not tell the speakers apart"),
        (range(144), 1.0, 0, "the embeddings do not tell the speakers apart"),
        (range(144), np.nan, 1, "no embedding that can be used"),
    ],
    ids=["no line", "one line", "a line each", "one speaker", "a video each", "one, alike", "all alike", "all NaN"],
)
def test_odd_lists_and_tables_end_in_words(made, tmp_path, monkeypatch, capsys, rows, fill, code, said):
    lines = (made / "train.txt").read_text().splitlines(keepends=True)
    (tmp_path / "list.txt").write_text("".join(lines[i] for i in rows))
    table = made / "audio.npz"
    if fill is not None:
        table = without(table, tmp_path / "audio.npz", list(range(144)), fill)
    words = ["--train-list", tmp_path / "list.txt", "--audio", table, "--out", tmp_path / "out"]
    assert call(monkeypatch, *words) == code
    shown = capsys.readouterr()
    assert said in shown.out + shown.err
    assert "Traceback" not in shown.err


def test_names_of_others_are_one_line(made, tmp_path, monkeypatch, capsys):
    write_train_list(tmp_path / "list.txt", ["x/v/1"], ["1"])
    words = ["--train-list", tmp_path / "list.txt", "--audio", made / "audio.npz", "--out", tmp_path / "out"]
    assert call(monkeypatch, *words) == 1
    assert "none of the 1 utterances of the list is among the audio embeddings" in capsys.readouterr().err


def test_a_note_names_at_most_five_speakers():
    summary = {"warnings": {"emptied_speakers": {"count": 7, "speakers": list("abcdefg")}}}
    (line,) = cleanse.show_warnings(summary)
    assert line.startswith("WARNING: 7 speakers have no clean utterance left; dropping them shifts")
    assert line.endswith(": a, b, c, d, e, …")

import argparse
import json

import numpy as np
import pytest

from avsieve.cli import evaluate as command
from avsieve.errors import AvsieveError

RNG = np.random.default_rng(0)
NAMES = [f"s{s}/v{v}/{u}" for s in range(6) for v in range(3) for u in range(2)]


@pytest.fixture
def files(tmp_path):
    """A trial list, audio embeddings for all and visual embeddings for all but one utterance."""
    speaker = np.array([int(n[1]) for n in NAMES])
    for name, noise in (("audio", 1.2), ("visual", 0.7)):
        vectors = RNG.standard_normal((6, 16))[speaker] + noise * RNG.standard_normal((len(NAMES), 16))
        keep = slice(1, None) if name == "visual" else slice(None)
        np.savez(tmp_path / f"{name}.npz", utterance=np.array(NAMES[keep]), embedding=vectors[keep].astype(np.float32))
    lines = [f"{int(a[:2] == b[:2])} {a}.wav {b}.wav" for i, a in enumerate(NAMES) for b in NAMES[:i]]
    (tmp_path / "trials.txt").write_text("\n".join(lines))
    return tmp_path


def run(folder, *options):
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    args = parser.parse_args(["--trials", str(folder / "trials.txt"), *options])
    return command.run(args)


def test_json_has_the_figures_of_all_three_systems(files, capsys):
    audio, visual = files / "audio.npz", files / "visual.npz"
    assert run(files, "--audio", str(audio), "--visual", str(visual), "--json", "--bootstrap", "10") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["results"]) == ["audio", "visual", "fused"]
    assert found["trials"]["trials"] == 630
    assert found["trials"]["without_embedding"] == {"audio": 0, "visual": 1}
    fused, alone = found["results"]["fused"], found["results"]["visual"]
    assert fused["eer"] < found["results"]["audio"]["eer"]
    assert (alone["n_missing"], fused["n_missing"]) == (35, 0)
    assert {"eer", "min_dcf_0.01", "min_dcf_0.05", "eer_low", "eer_high"} <= fused.keys()
    assert fused["eer_percent"] == pytest.approx(100 * fused["eer"])


def test_the_table_names_what_is_missing(files, capsys):
    assert run(files, "--visual", str(files / "visual.npz"), "--bootstrap", "0") == 0
    text = capsys.readouterr().out
    assert "visual: 35 of 36 utterances of the trials have an embedding; 1 are not in the table" in text
    assert "audio" not in text


@pytest.fixture
def more(files):
    """Embeddings of segments, and of a cohort of other people, beside the rest."""
    rows = [n for n in NAMES for _ in range(3)]
    for name in ("segments", "frames"):
        np.savez(files / f"{name}.npz", utterance=np.array(rows), embedding=RNG.standard_normal((len(rows), 16)) + 1.0)
    others = [f"c{i}/v/{u}" for i in range(9) for u in range(2)]
    np.savez(files / "cohort.npz", utterance=np.array(others), embedding=RNG.standard_normal((18, 16)))
    (files / "cohort.txt").write_text("".join(f"{n.split('/')[0]} {n}.wav 2.0\n" for n in others))
    return files


def test_normalised_scores_stand_beside_raw_ones_and_every_row_names_its_list(more, capsys):
    options = ["--audio", str(more / "audio.npz"), str(more / "cohort.npz"), "--cohort", str(more / "cohort.txt")]
    assert run(more, *options, "--top", "5", "--bootstrap", "0", "--json", "--eer-definition", "nearest") == 0
    found = json.loads(capsys.readouterr().out)
    assert list(found["results"]) == ["audio", "audio as_norm"]
    for row in found["results"].values():
        assert (row["list"], row["version"], row["eer_definition"]) == ("trials", "-", "nearest")
    assert found["trials"]["cohort"]["speakers"] == 9
    assert found["results"]["audio"]["eer"] != found["results"]["audio as_norm"]["eer"]
    assert run(more, *options, "--top", "5", "--bootstrap", "0") == 0
    shown = capsys.readouterr().out
    assert "AS-norm: the top 5 of 9 cohort speakers" in shown


def test_a_cohort_that_is_too_small_is_refused(more):
    with pytest.raises(AvsieveError, match="the top 300 of a cohort of 9 speakers"):
        run(more, "--audio", str(more / "audio.npz"), "--cohort", str(more / "cohort.txt"))


def test_both_protocols_stand_side_by_side(more, capsys):
    options = ["--audio", str(more / "audio.npz"), "--audio-segments", str(more / "segments.npz")]
    options += ["--visual", str(more / "visual.npz"), "--visual-frames", str(more / "frames.npz")]
    assert run(more, *options, "--protocol", "both", "--bootstrap", "0", "--json") == 0
    found = json.loads(capsys.readouterr().out)["results"]
    assert list(found) == ["audio", "visual", "fused", "audio segments", "visual segments", "fused segments"]
    assert found["visual segments"]["protocol"] == "segments"


def test_files_that_the_protocol_does_not_want_are_refused(more):
    with pytest.raises(AvsieveError, match="--protocol full does not use --audio-segments"):
        run(more, "--audio", str(more / "audio.npz"), "--audio-segments", str(more / "segments.npz"))
    with pytest.raises(AvsieveError, match="no embeddings for the protocol segments; give --audio-segments"):
        run(more, "--audio", str(more / "audio.npz"), "--protocol", "both")


def test_an_utterance_in_two_files_is_refused(more):
    with pytest.raises(
        AvsieveError, match=r"visual.npz: utterance s0/v0/1 has another embedding in the earlier file .*audio.npz"
    ):
        run(more, "--audio", str(more / "audio.npz"), str(more / "visual.npz"))


def test_an_encoder_that_knows_the_speakers_is_refused(files):
    (files / "train.txt").write_text("s3 s3/v9/1.wav 2.0\n")
    with pytest.raises(AvsieveError, match=r"an encoder trained on .*train.txt: 1 of 6 speakers"):
        run(files, "--audio", str(files / "audio.npz"), "--trained-on", str(files / "train.txt"))


def test_evaluating_without_embeddings_is_refused(files):
    with pytest.raises(AvsieveError, match="give --audio, --visual, or both"):
        run(files)

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
    command.add_parser(parser.add_subparsers())
    args = parser.parse_args(["evaluate", "--trials", str(folder / "trials.txt"), *options])
    return command.main(args)


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
    assert "1 of 36 utterances have no visual embedding" in text
    assert "audio" not in text


def test_evaluating_without_embeddings_is_refused(files):
    with pytest.raises(AvsieveError, match="give --audio, --visual, or both"):
        run(files)

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd

from avsieve.lists.train_list import write_clean_list

NAMES = [f"s{k // 4}/v{k // 2}/{k:05d}" for k in range(16)]


def a_list(path: Path, noisy: set[int]) -> Path:
    clean = np.array([k not in noisy for k in range(len(NAMES))])
    sims = np.full(len(NAMES), 0.5)
    write_clean_list(path, NAMES, ["1.00"] * len(NAMES), sims, sims, clean)
    return path


def test_a_list_agrees_with_itself(avsieve, tmp_path: Path, capsys) -> None:
    one = a_list(tmp_path / "one.txt", {0, 5})
    assert not avsieve("compare", one, one)
    told = capsys.readouterr().out
    assert "16 utterances in both lists" in told
    assert "agreement 1.0000, Cohen's kappa 1.0000" in told
    assert "most disagreement" not in told


def test_where_two_lists_differ_is_told_and_written(avsieve, tmp_path: Path, capsys) -> None:
    one, two = a_list(tmp_path / "one.txt", {0, 5}), a_list(tmp_path / "two.txt", {0, 6, 7})
    assert not avsieve("compare", one, two, "--out", tmp_path / "out")
    assert "most disagreement:" in capsys.readouterr().out
    facts = json.loads((tmp_path / "out/agreement.json").read_text())
    assert (facts["only_first"], facts["only_second"], facts["both_noisy"]) == (1, 2, 1)
    assert facts["agreement"] == 13 / 16
    by_speaker = pd.read_csv(tmp_path / "out/speakers.csv").set_index("speaker")
    assert by_speaker.loc["s1", ["only_first", "only_second"]].tolist() == [1, 2]
    assert (tmp_path / "out/agreement.png").read_bytes().startswith(b"\x89PNG")


def test_lists_whose_flags_seem_turned_round_are_warned_of(avsieve, tmp_path: Path, capsys) -> None:
    one, two = a_list(tmp_path / "one.txt", {0, 1, 2}), a_list(tmp_path / "two.txt", set(range(3, 13)))
    assert not avsieve("compare", one, two)
    assert "WARNING: the lists agree less than by chance" in capsys.readouterr().out

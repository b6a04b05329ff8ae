from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from avsieve.cleansing.agreement import compare
from avsieve.cleansing.agreement_figure import draw
from avsieve.cleansing.published_lists import join_noisy, read_flags
from avsieve.errors import ListError

EVERY = ["id1/abcdefghijk/00001", "id1/abcdefghijk/00002", "id1/-x_defghijk/00001", "id2/abcdefghijk/00001"]


def test_video_ids_without_their_first_character_are_joined(tmp_path):
    path = tmp_path / "noisy.txt"
    path.write_text("id1/bcdefghijk/00002.wav\nid1-x_defghijk-00001.wav\nid2/abcdefghijk/00001\n")
    assert join_noisy(path, EVERY) == [EVERY[1], EVERY[2], EVERY[3]]
    assert read_flags(path, EVERY).tolist() == [True, False, False, False]


def test_a_name_that_fits_two_videos_is_refused(tmp_path):
    path = tmp_path / "noisy.txt"
    path.write_text("id1/bcdefghijk/00001\n")
    with pytest.raises(ListError, match=r"line 1: .* names 2 utterances"):
        join_noisy(path, ["id1/abcdefghijk/00001", "id1/zbcdefghijk/00001"])


def test_a_list_whose_flags_are_turned_round_is_refused(tmp_path):
    path = tmp_path / "list.txt"
    lines = [f"id1 id1/v/{i:05d}.wav 4.0 0.6 0.6 0" for i in range(9)] + ["id1 id1/v/00009.wav 4.0 0.1 0.1 1"]
    path.write_text("\n".join(lines) + "\n")
    with pytest.raises(ListError, match="1 must mean clean"):
        read_flags(path)


def test_kappa_is_that_of_the_textbook(tmp_path):
    # 20 + 15 agree, 5 + 10 do not: agreement 0.7, kappa 0.4.
    first = np.repeat([True, True, False, False], [20, 5, 10, 15])
    second = np.repeat([True, False, True, False], [20, 5, 10, 15])
    names = [f"id{i % 4}/v/{i:05d}" for i in range(50)]
    agreement, table = compare(pd.Series(first, names), pd.Series(second, names))
    assert agreement.agreement == pytest.approx(0.7)
    assert agreement.kappa == pytest.approx(0.4)
    assert table["utterances"].sum() == 50
    assert table["only_first"].sum() == 10
    draw(tmp_path / "agreement.png", agreement, table, ("a", "b"))
    assert (tmp_path / "agreement.png").read_bytes().startswith(b"\x89PNG")


def test_lists_without_a_common_utterance_are_refused():
    with pytest.raises(ListError, match="no utterance is in both"):
        compare(pd.Series([True], ["id1/v/1"]), pd.Series([True], ["id2/v/1"]))

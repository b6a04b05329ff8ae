import numpy as np
import pytest

from avsieve.errors import AvsieveError, ListError
from avsieve.evaluation.trial_maker import make_trials, read_sex

from .test_trials import as_tuples

UTTERANCES = [f"s{s}/v{v}/{u}" for s in range(8) for v in range(3) for u in range(4)]
SEX = {f"s{s}": "fm"[s % 2] for s in range(8)}


def test_made_trials_are_balanced_distinct_and_of_different_videos():
    rows = as_tuples(make_trials(UTTERANCES, sex=SEX, max_targets=100, seed=3))
    assert sum(target for target, *_ in rows) == 100
    assert len(rows) == 200
    assert len({frozenset(pair) for _, *pair in rows}) == 200
    for target, enrol, test in rows:
        assert target == (enrol.split("/")[0] == test.split("/")[0])
        if target:
            assert enrol.split("/")[1] != test.split("/")[1]


def test_made_trials_spread_over_all_speakers():
    rows = as_tuples(make_trials(UTTERANCES, max_targets=80, seed=0))
    counts = [sum(target and enrol.startswith(f"s{s}/") for target, enrol, _ in rows) for s in range(8)]
    assert counts == [10] * 8


@pytest.mark.parametrize(("share", "low", "high"), [(1.0, 1.0, 1.0), (0.0, 0.3, 0.55)])
def test_impostors_are_of_the_same_sex_as_often_as_asked(share, low, high):
    rows = as_tuples(make_trials(UTTERANCES, sex=SEX, max_targets=200, same_sex_share=share, seed=1))
    same = [SEX[e.split("/")[0]] == SEX[t.split("/")[0]] for target, e, t in rows if not target]
    assert low <= np.mean(same) <= high  # by chance it would be 3 of 7


def test_a_speaker_alone_in_its_sex_meets_all_others():
    sex = dict.fromkeys(SEX, "m") | {"s0": "f"}
    rows = as_tuples(make_trials(UTTERANCES, sex=sex, max_targets=80, same_sex_share=1.0, seed=1))
    assert any(not target and e.startswith("s0/") for target, e, _ in rows)


def test_equal_seeds_make_equal_trials_whatever_the_order_of_the_utterances():
    first = as_tuples(make_trials(UTTERANCES, max_targets=50, seed=5))
    assert first == as_tuples(make_trials(UTTERANCES[::-1], max_targets=50, seed=5))
    assert first != as_tuples(make_trials(UTTERANCES, max_targets=50, seed=6))


def test_where_impostor_pairs_run_out_both_sides_shrink():
    few = ["a/1/1", "a/2/1", "a/3/1", "b/1/1"]
    rows = as_tuples(make_trials(few, max_targets=100, seed=0))
    assert sum(target for target, *_ in rows) * 2 == len(rows)


def test_utterances_without_any_target_pair_are_refused():
    with pytest.raises(AvsieveError, match="two videos"):
        make_trials(["a/1/1", "a/1/2", "b/1/1"])
    with pytest.raises(AvsieveError, match="at least 2 speakers"):
        make_trials(["a/1/1", "a/2/2"])


@pytest.mark.parametrize(
    "text",
    [
        "speaker,sex\nid10001,m\nid10002,f\n",
        "VoxCeleb1 ID\tVGGFace1 ID\tGender\tNationality\tSet\nid10001\tA\tm\tIreland\tdev\nid10002\tB\tf\tUSA\tdev\n",
        "VoxCeleb2 ID ,VGGFace2 ID ,Gender ,Set \nid10001 ,n1 ,m ,dev \nid10002 ,n2 ,f ,dev \n",
    ],
    ids=["ours", "vox1_meta.csv", "vox2_meta.csv"],
)
def test_reads_the_sex_from_our_table_and_from_voxcelebs(tmp_path, text):
    (tmp_path / "meta.csv").write_text(text)
    assert read_sex(tmp_path / "meta.csv") == {"id10001": "m", "id10002": "f"}


def test_a_table_without_the_sex_is_refused(tmp_path):
    (tmp_path / "meta.csv").write_text("speaker,age\nid10001,30\n")
    with pytest.raises(ListError, match="expected speaker and sex"):
        read_sex(tmp_path / "meta.csv")
    with pytest.raises(ListError, match="no such table"):
        read_sex(tmp_path / "absent.csv")

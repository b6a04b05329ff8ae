from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from avsieve.inspection.run_files import find_run
from avsieve.review.population import read_population
from avsieve.storage.atomic import write_json
from avsieve.storage.provenance import sha256_of
from avsieve.storage.tables import write_table

NAN = np.nan


def run_of(folder: Path, rows: list[tuple], policy: str = "either", review: list[str] | None = None, estimated=True):
    """Write decisions of (utterance, p_audio_wrong, p_visual_wrong, p_wrong) and a summary; return the run."""
    names, audio, visual, wrong = (list(column) for column in zip(*rows, strict=True))
    noisy = [p == p and p > 0.5 for p in wrong]
    columns = {
        "utterance": names, "speaker": [u.split("/")[0] for u in names],
        "kind": ["video" if bad else "" for bad in noisy],
        "suggested_speaker": pa.array([None] * len(names), pa.string()),
        "decision": ["noisy" if bad else "clean" for bad in noisy], "reason": ["ok"] * len(names),
        "p_suggested": [NAN] * len(names), "p_audio_wrong": audio, "p_visual_wrong": visual, "p_wrong": wrong,
    }  # fmt: skip
    write_table(folder / "decisions.parquet", pa.table(columns | ({"review": review} if review else {})))
    write_json(folder / "summary.json", {"settings": {"policy": policy}, "estimated": {} if estimated else None})
    return find_run(folder)


ROWS = [
    ("a/v/1", 0.9, 0.8, 0.95), ("a/v/2", 0.1, 0.2, 0.25), ("a/w/1", NAN, 0.3, 0.3), ("b/v/1", 0.0, 1.0, 1.0),
    ("b/v/2", NAN, NAN, NAN),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "p"),
    [
        ("either", [0.95, 0.25, 0.3, 1.0]),
        ("both", [0.75, 0.05, 0.3, 0.0]),
        ("visual", [0.8, 0.2, 0.3, 1.0]),
        ("audio", [0.9, 0.1, 0.0]),
    ],
)
def test_it_is_what_was_judged_in_the_sense_of_the_policy(tmp_path: Path, policy, p) -> None:
    found = read_population(run_of(tmp_path, ROWS, policy))
    assert found.p == pytest.approx(p)
    assert found.unjudged == len(ROWS) - len(p)
    assert found.calibrated
    assert found.decisions_sha256 == sha256_of(tmp_path / "decisions.parquet")
    assert [str(found.speakers[k]) for k in found.speaker] == [
        name.split("/")[0] for name in found.names(range(len(p)))
    ]
    assert found.open.all()


def test_videos_of_one_name_under_two_labels_are_two(tmp_path: Path) -> None:
    found = read_population(run_of(tmp_path, ROWS))
    assert len(set(found.unit.tolist())) == 3
    assert found.unit[0] == found.unit[1]


def test_what_reviewers_settled_before_is_known(tmp_path: Path) -> None:
    run = run_of(tmp_path, ROWS, review=["", "unsure", "", "wrong_face", ""])
    assert np.nan_to_num(read_population(run).known, nan=-1).tolist() == [-1, -1, -1, 1]


def test_a_method_without_probabilities_is_told(tmp_path: Path) -> None:
    assert not read_population(run_of(tmp_path, ROWS, estimated=False)).calibrated


@pytest.mark.parametrize(
    ("policy", "audio", "visual", "label"),
    [
        ("either", "right", "right", 0), ("either", "wrong", "right", 1), ("either", "unsure", "wrong", 1),
        ("either", "unsure", "right", NAN), ("both", "wrong", "right", 0), ("both", "wrong", "wrong", 1),
        ("both", "unsure", "right", 0), ("both", "unsure", "wrong", NAN), ("audio", "right", "wrong", 0),
        ("audio", "unsure", "wrong", NAN), ("visual", "right", "wrong", 1), ("either", "unsure", "unsure", NAN),
    ],
)  # fmt: skip
def test_what_reviewers_find_is_a_label_in_the_sense_of_the_policy(tmp_path, policy, audio, visual, label) -> None:
    found = read_population(run_of(tmp_path, ROWS, policy)).label(0, audio, visual)
    assert found == pytest.approx(label, nan_ok=True)


def test_of_a_clip_of_which_only_the_face_was_judged_the_face_counts(tmp_path: Path) -> None:
    found = read_population(run_of(tmp_path, ROWS))
    assert found.label(2, "wrong", "right") == 0
    assert found.label(2, "right", "wrong") == 1
    assert np.isnan(found.label(2, "wrong", "unsure"))
    assert pq.read_table(tmp_path / "decisions.parquet").num_rows == len(ROWS)

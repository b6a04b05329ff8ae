from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from avsieve.cleansing.decisions import decide, expected, needed_modalities
from avsieve.cleansing.result import Judgement
from avsieve.errors import ConfigError


def without(scores, modality, rows, *, not_finite=False):
    """Return the scores in which some rows have nothing of a modality."""
    e = scores.evidence[modality]
    gone = np.isin(np.arange(len(scores)), rows)
    changed = {"present": e.present & ~gone, "similarity": np.where(gone, np.nan, e.similarity)}
    if not_finite:
        changed["not_finite"] = e.not_finite | gone
    return replace(scores, evidence=scores.evidence | {modality: replace(e, **changed)})


def judged(scores, audio=(), visual=()):
    """Return a judgement that finds the voices and faces of some rows wrong."""
    index = np.arange(len(scores))
    a, v = (np.where(np.isin(index, rows), 0.9, 0.01) for rows in (audio, visual))
    a[~scores.audio.present], v[~scores.visual.present] = np.nan, np.nan
    return Judgement(a, v, np.fmax(a, v), calibrated=True)


def test_what_lacks_a_face_is_in_no_list_for_both_and_is_not_called_wrong(scored):
    scores = without(scored.scores, "visual", [1, 2])
    decisions = decide(scores, judged(scores, audio=[2, 3]), "either", 0.5)
    assert not decisions.clean[[1, 2, 3]].any()
    assert decisions.decision[:4].tolist() == ["clean", "incomplete", "noisy", "noisy"]
    assert decisions.reason[:4].tolist() == ["ok", "no_visual", "wrong_audio", "wrong_audio"]
    assert decisions.kind[:4].tolist() == ["", "", "audio", "audio"]
    assert decisions.probability[1] == 0.01  # what could be judged is kept
    assert decisions.usable["audio"][:4].tolist() == [True, True, False, False]
    assert decisions.usable["visual"][:4].tolist() == [True, False, False, True]


def test_reasons_tell_what_is_missing(scored):
    scores = without(without(scored.scores, "visual", [1, 2]), "audio", [2, 3])
    scores = without(scores, "audio", [4], not_finite=True)
    decisions = decide(scores, judged(scores), "either", 0.5)
    expectation = ["ok", "no_visual", "no_embedding", "no_audio", "embedding_not_finite"]
    assert decisions.reason[:5].tolist() == expectation
    assert decisions.incomplete[:5].tolist() == [False, True, True, True, True]
    assert not decisions.noisy.any()


def test_a_policy_about_one_modality_needs_no_other(scored):
    scores = without(without(scored.scores, "visual", [1]), "audio", [2])
    assert needed_modalities(scores, "audio") == ("audio",)
    assert needed_modalities(scores, "either") == ("audio", "visual")
    decisions = decide(scores, judged(scores), "audio", 0.5)
    assert decisions.reason[:3].tolist() == ["ok", "ok", "no_audio"]
    assert decisions.clean[:3].tolist() == [True, True, False]


def test_where_nobody_has_a_face_none_is_needed(scored):
    scores = without(scored.scores, "visual", np.arange(len(scored.scores)))
    decisions = decide(scores, judged(scores, audio=[5]), "either", 0.5)
    assert decisions.clean.sum() == len(scores) - 1
    np.testing.assert_array_equal(decisions.usable["audio"], decisions.clean)
    assert not decisions.usable["visual"].any()
    for policy in ("visual", "both"):
        with pytest.raises(ConfigError, match="no face embeddings were given"):
            decide(scores, judged(scores), policy, 0.5)


def test_what_could_not_be_judged_is_kept_with_a_reason(scored):
    judgement = judged(scored.scores, audio=[1])
    for p in (judgement.audio_wrong, judgement.visual_wrong, judgement.wrong):
        p[[3, 4]] = np.nan
    decisions = decide(scored.scores, judgement, "either", 0.5)
    assert decisions.reason[[1, 3, 4]].tolist() == ["wrong_audio", "not_judged", "not_judged"]
    assert decisions.clean[[3, 4]].all()
    assert decisions.usable["visual"][3]


def test_expected_precision_is_about_labels_and_not_about_what_is_missing(scored):
    scores = without(scored.scores, "visual", np.arange(50, 150))
    with_all = expected(decide(scored.scores, judged(scored.scores, audio=[1, 2]), "either", 0.5))
    lacking = expected(decide(scores, judged(scores, audio=[1, 2]), "either", 0.5))
    assert lacking["precision"] == pytest.approx(with_all["precision"]) == pytest.approx(0.9)

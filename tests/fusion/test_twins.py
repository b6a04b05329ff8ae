from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

from avsieve.errors import AvsieveError
from avsieve.evaluation.conditions.table import DamageTable
from avsieve.fusion.avn_network import AvnE, damage_moments
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.pairs import Pairs, draw_pairs
from avsieve.fusion.twin_settings import TwinSettings
from avsieve.fusion.twin_table import write_twins
from avsieve.fusion.twins import EXCHANGED, TwinFiles, Twins, read_twins
from avsieve.storage.tables import write_table

from .made_up import make_people, new_model

PEOPLE, SPEAKERS = make_people("train", 60, seed=1)
NAMES = PEOPLE.utterances
CPU = torch.device("cpu")
CONDITIONS = [
    {"name": "loud", "kind": "noise", "snr_db": 0, "sound": "white"},
    {"name": "far", "kind": "blur", "sigma": [3.0, 6.0]},
    {"name": "mute", "kind": "missing", "modality": "audio", "share": 0.5},
]


def write(folder: Path, name: str, settings: TwinSettings, level: str) -> None:
    """Write a table of twins of the list in a folder."""
    write_twins(folder / f"{name}.parquet", folder / "all.txt", folder / "plan.parquet", settings, level=level)


@pytest.fixture
def listed(tmp_path: Path) -> Path:
    """Write a list and a plan, which holds the last speaker out, and the table of twins; return the folder."""
    text = "".join(f"{s} {u}.wav 3.0\n" for s, u in zip(SPEAKERS, NAMES, strict=True))
    (tmp_path / "all.txt").write_text(text)
    plan = pd.DataFrame({"utterance": NAMES, "held_out": [s == SPEAKERS[-1] for s in SPEAKERS]})
    write_table(tmp_path / "plan.parquet", plan)
    settings = TwinSettings(conditions=CONDITIONS, utterances=30, seed=4)
    write(tmp_path, "twins", settings, "embedding")
    return tmp_path


def noisy_twins(share: float = 1.0) -> Twins:
    """Return twins of the first utterances, whose voices are mostly noise, and whose quality tells it."""
    rng = np.random.default_rng(7)
    of = np.arange(round(share * len(NAMES)))
    voice = 0.2 * PEOPLE.audio.pooled[of] + 2 * rng.standard_normal((len(of), PEOPLE.audio.dim)).astype(np.float32)
    audio = Stream(
        voice.astype(np.float32), np.ones(len(of), bool), measures={"snr_db": np.full(len(of), -5, np.float32)}
    )
    return Twins(Inputs([NAMES[i] for i in of], audio, PEOPLE.visual.of(of)), of)


def with_quality(inputs: Inputs) -> Inputs:
    return Inputs(
        inputs.utterances,
        Stream(inputs.audio.pooled, inputs.audio.present, measures={"snr_db": np.full(len(inputs), 20, np.float32)}),
        inputs.visual,
    )


def test_the_chosen_utterances_have_a_twin_in_every_condition_and_nobody_held_out_has_any(listed: Path) -> None:
    table = DamageTable(listed / "twins.parquet")
    loud, far, mute = (table.rows(name) for name in ("loud", "far", "mute"))
    assert len(loud) == 30
    assert set(loud["utterance"]) == set(far["utterance"]) > set(mute["utterance"])
    assert len(mute) == 15
    assert not [u for u in loud["utterance"] if u.startswith(SPEAKERS[-1])]
    assert far["parameters"].map(lambda p: p["sigma"]).nunique() > 20


def test_twins_are_read_with_the_other_modality_as_it_is(listed: Path) -> None:
    found = read_twins(listed / "twins.parquet", PEOPLE, TwinFiles([], []))
    assert len(found.of) == len(found.inputs) == 75
    assert [NAMES[i] for i in found.of] == found.inputs.utterances
    same = {
        m: (found.inputs.streams[m].pooled == PEOPLE.streams[m].pooled[found.of]).all(axis=1)
        for m in ("audio", "visual")
    }
    # In the order of the conditions' names: far, loud, mute.
    assert same["audio"].tolist() == [True] * 30 + [False] * 45
    assert same["visual"].tolist() == [False] * 30 + [True] * 45
    assert found.inputs.audio.present.tolist() == [True] * 60 + [False] * 15


def test_utterances_of_another_list_have_no_twins(listed: Path) -> None:
    others, _ = make_people("other", 3)
    assert len(read_twins(listed / "twins.parquet", others, TwinFiles([], [])).of) == 0


def test_damaged_signals_without_a_table_are_refused(listed: Path) -> None:
    settings = TwinSettings(conditions=CONDITIONS[:1], utterances=3)
    write(listed, "s", settings, "signal")
    with pytest.raises(AvsieveError, match=r"3 damaged audio signals of twins .* give --twin-audio, or set"):
        read_twins(listed / "s.parquet", PEOPLE, TwinFiles([], []))


def test_sides_of_pairs_are_exchanged_for_twins_of_the_same_utterance() -> None:
    twins, n = noisy_twins(0.5), len(NAMES)
    pairs = draw_pairs(PEOPLE, SPEAKERS, np.random.default_rng(0), 2000)
    found = twins.exchange(pairs, n, np.random.default_rng(1))
    for before, after in ((pairs.enrol, found.enrol), (pairs.test, found.test)):
        moved = after >= n
        np.testing.assert_array_equal(twins.of[after[moved] - n], before[moved])
        np.testing.assert_array_equal(after[~moved], before[~moved])
        can = before < n // 2
        assert not moved[~can].any()
        assert moved[can].mean() == pytest.approx(EXCHANGED, abs=0.05)
    np.testing.assert_array_equal(found.is_target, pairs.is_target)


def test_twins_among_some_rows_are_theirs_in_their_order() -> None:
    twins = noisy_twins()
    rows = np.array([40, 7, 300])
    found = twins.among(rows)
    assert sorted(found.of.tolist()) == [0, 1, 2]
    assert [found.inputs.utterances[list(found.of).index(k)] for k in range(3)] == [NAMES[i] for i in rows]
    behind = found.behind(PEOPLE.of(rows))
    assert behind.utterances == [*(NAMES[i] for i in rows), *found.inputs.utterances]


@pytest.mark.parametrize("name", ["calibrated_qmf", "evidence"])
def test_from_twins_a_model_learns_that_a_bad_voice_says_little(name: str) -> None:
    train, twins = with_quality(PEOPLE), noisy_twins()
    test, who = make_people("test", 20, seed=2)
    test = with_quality(test)
    rng = np.random.default_rng(3)
    bad = np.arange(len(test)) % 2 == 0
    voice = np.where(
        bad[:, None], 0.2 * test.audio.pooled + 2 * rng.standard_normal(test.audio.pooled.shape), test.audio.pooled
    )
    snr = np.where(bad, -5, 20).astype(np.float32)
    test = Inputs(
        test.utterances, Stream(voice.astype(np.float32), test.audio.present, measures={"snr_db": snr}), test.visual
    )
    enrol, against = np.triu_indices(len(test), 1)
    is_target = np.array([who[e] == who[t] for e, t in zip(enrol, against, strict=True)])

    def cost(twins: Twins | None) -> float:
        model = new_model(name, train.audio.dim, train.visual.dim)
        model.fit(train, SPEAKERS, seed=0, device=CPU, twins=twins)
        ratio = model.score(model.encode(test), enrol, against).astype(np.float64)
        return float(np.logaddexp(0, -ratio[is_target]).mean() + np.logaddexp(0, ratio[~is_target]).mean())

    assert cost(twins) < 0.9 * cost(None)


def test_pairs_without_twins_stay_as_they_are() -> None:
    nothing = noisy_twins(0.0)
    pairs = Pairs(np.array([0, 1]), np.array([2, 3]), np.array([True, False]))
    found = nothing.exchange(pairs, len(NAMES), np.random.default_rng(0))
    np.testing.assert_array_equal(np.r_[found.enrol, found.test], [0, 1, 2, 3])


def test_the_noise_of_avn_e_is_what_damage_does_to_twins() -> None:
    twins = noisy_twins()
    mean, covariance = damage_moments(PEOPLE.audio, twins.inputs.audio, twins.of)
    was, now = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (PEOPLE.audio.pooled, twins.inputs.audio.pooled))
    np.testing.assert_allclose(mean, (now - was).mean(axis=0), atol=1e-6)
    np.testing.assert_allclose(covariance, np.cov((now - was).T), atol=1e-6)
    assert damage_moments(PEOPLE.visual, twins.inputs.visual, twins.of) is None

    network = AvnE(PEOPLE.audio.dim, PEOPLE.visual.dim, 8, 0.5, None)
    network.learn_damage(PEOPLE, twins)
    labels = np.unique(SPEAKERS, return_inverse=True)[1]
    network.start(PEOPLE, labels)
    root = network.audio_noise.double().numpy()
    np.testing.assert_allclose(root @ root, covariance, atol=1e-4)
    np.testing.assert_allclose(network.audio_shift.numpy(), mean, atol=1e-6)
    # Nobody's face was damaged: the faces' noise is that of the list.
    plain = AvnE(PEOPLE.audio.dim, PEOPLE.visual.dim, 8, 0.5, None)
    plain.start(PEOPLE, labels)
    assert torch.equal(network.visual_noise, plain.visual_noise)
    assert not network.visual_shift.any()

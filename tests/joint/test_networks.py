"""What every joint network promises: parts, missing modalities, padding, gradients, learning rates."""

from __future__ import annotations

import pytest
import torch

from avsieve.fusion.recipe import Recipe
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.joint.augmentation import AUGMENTATIONS
from avsieve.joint.settings import JointSettings
from avsieve.joint.signal_batch import SignalBatch
from avsieve.training.rates import rate_groups

from .made_up import alone, batch_of_five, new_network

JOINT = [name for name, model in MODELS.items() if model.joint]


@pytest.mark.parametrize("name", JOINT)
@torch.no_grad()
def test_a_padded_batch_equals_single_rows_and_a_missing_modality_is_none(name: str) -> None:
    kind, _, network = new_network(name)
    network.eval()
    batch = batch_of_five()
    parts = network.embed(batch)
    assert len(parts) == len(kind.parts)
    assert [part.shape for part, _ in parts] == [(5, width) for width in network.widths]
    there = torch.stack([present for _, present in parts])
    if len(parts) == 1:
        assert there.tolist() == [[True, True, True, True, False]]
    else:
        assert there.tolist() == [[True, True, False, True, False], [True, True, True, False, False]]
    for row in range(5):
        single = network.embed(alone(batch, row))
        for (part, present), (own, own_present) in zip(parts, single, strict=True):
            assert present[row] == own_present[0]
            if present[row]:
                assert torch.isfinite(part[row]).all()
                assert (part[row] - own[0]).norm() < 1e-5 * own[0].norm()


@pytest.mark.parametrize("name", JOINT)
@torch.no_grad()
def test_what_is_missing_has_no_influence(name: str) -> None:
    _, _, network = new_network(name)
    network.eval()
    batch = batch_of_five()
    whole = network.embed(batch)
    heard, seen = (torch.tensor([True] * 5),) * 2
    without = {"audio": batch.drop_audio(heard), "visual": batch.drop_visual(seen)}
    rows = {"audio": 3, "visual": 2}  # those that have this modality alone
    for modality, row in rows.items():
        other = "visual" if modality == "audio" else "audio"
        again = network.embed(without[other])
        for (part, present), (own, own_present) in zip(whole, again, strict=True):
            assert present[row] == own_present[row]
            if present[row]:
                torch.testing.assert_close(part[row], own[row], rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("name", JOINT)
def test_encoders_learn_unless_they_are_frozen(name: str) -> None:
    batch, labels = batch_of_five(), torch.tensor([0, 1, 2, 3, 0])
    whole = batch.rows(slice(0, 4))
    for encoders in ("trained", "frozen"):
        kind, own, network = new_network(name, encoders=encoders)
        network.train()
        criterion = kind.criterion(network, 4, Recipe.of(Fusion(), own), own)
        before = {key: value.clone() for key, value in network.state_dict().items()}
        loss, hits = criterion.judge(network(whole), labels[:4])
        assert 0 <= int(hits) <= 4
        loss.backward()
        learned = {key for key, p in network.named_parameters() if p.grad is not None and p.grad.abs().sum() > 0}
        inside = {key for key in learned if key.startswith(("audio.", "visual."))}
        if encoders == "trained":
            assert any(key.startswith("audio.") for key in inside)
            assert any(key.startswith("visual.") for key in inside)
        else:
            assert inside == set()
            # Statistics of a frozen encoder stay, too.
            changed = {key for key, value in network.state_dict().items() if not torch.equal(value, before[key])}
            assert not any(key.startswith(("audio.", "visual.")) for key in changed)
        if name != "speaker_face":  # which has nothing beside its encoders
            assert learned - inside
        groups = rate_groups(network, criterion)
        assert sum(len(group["params"]) for group in groups) == len(
            [p for p in [*network.parameters(), *criterion.parameters()] if p.requires_grad]
        )


def test_training_takes_modalities_away_and_scoring_does_not() -> None:
    _, _, network = new_network("vut_joint_soft")
    network.drop_modality = 1.0
    seen: list[tuple[list[bool], list[int]]] = []

    def spy(batch: SignalBatch) -> list[torch.Tensor]:
        seen.append((batch.has_audio.tolist(), batch.face_mask.sum(dim=1).tolist()))
        return [torch.zeros(len(batch), 32)]

    network.fuse = spy  # type: ignore[method-assign]
    whole = batch_of_five().rows(slice(0, 2))
    network.train()
    for _ in range(40):
        network(whole)
    voices, faces = zip(*seen, strict=True)
    # A single voice, or a single face in the whole batch, would have no statistics: then all stay.
    assert {tuple(row) for row in voices} == {(True, True), (False, False)}
    assert {tuple(row) for row in faces} == {(3, 1), (3, 0), (0, 0)}
    seen.clear()
    network.eval()
    network.embed(whole)
    assert seen == [([True, True], [3, 1])]


def test_a_voice_that_is_too_short_for_its_encoder_is_a_missing_one() -> None:
    _, _, network = new_network("vut_joint_soft")
    network.eval()
    network.audio.min_samples = 9_500  # type: ignore[assignment]
    (_, present), *_ = network.embed(batch_of_five())
    usable = network.usable(batch_of_five())
    assert usable.has_audio.tolist() == [True, False, False, True, False]
    assert present.tolist() == [True, True, True, True, False]


def test_the_settings_name_every_augmentation() -> None:
    allowed = JointSettings.model_json_schema()["properties"]["augmentation"]["enum"]
    assert allowed == list(AUGMENTATIONS)

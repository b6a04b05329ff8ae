import pytest

from avsieve.errors import AvsieveError
from avsieve.fusion.damage import apply_manifest, make_manifest

from .made_up import make_people


def test_a_damage_manifest_is_seeded_and_takes_from_both_sides_alike():
    inputs, _ = make_people("p", 4)
    manifest = make_manifest(inputs.utterances, 0.5, seed=3)
    assert manifest.equals(make_manifest(inputs.utterances[::-1], 0.5, seed=3))
    assert not manifest.equals(make_manifest(inputs.utterances, 0.5, seed=4))
    assert manifest["damage"].value_counts().to_dict() == {"none": 18, "no_audio": 9, "no_visual": 9}
    damaged = apply_manifest(inputs, manifest)
    assert (~damaged.audio.present).sum() == 9
    assert (~damaged.visual.present).sum() == 9
    assert (damaged.audio.present | damaged.visual.present).all()
    assert not damaged.audio.pooled[~damaged.audio.present].any()


def test_an_unknown_damage_is_refused():
    inputs, _ = make_people("p", 2)
    manifest = make_manifest(inputs.utterances, 0.0, seed=0).assign(damage="blur")
    with pytest.raises(AvsieveError, match="damage 'blur'"):
        apply_manifest(inputs, manifest)


def test_a_share_above_one_is_refused():
    with pytest.raises(AvsieveError, match=r"share of damaged utterances is 1\.5"):
        make_manifest(["a/b/c"], 1.5, seed=0)

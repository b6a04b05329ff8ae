import pytest

from avsieve.errors import ConfigError
from avsieve.fusion.baffn import BaffnSettings
from avsieve.fusion.recipe import Recipe, RecipeSettings, own_recipe, parse_loss
from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.fusion.vut import VutSettings
from avsieve.settings import Block, filled


def test_a_model_without_a_recipe_is_trained_as_fusion_says():
    fusion = Fusion(epochs=7, batch_size=9, learning_rate=0.3, l2_sp=0.5, margin=0.4, scale=11.0, drop_modality=0.6)
    for own in (Block(), RecipeSettings(), MODELS["gated"].settings()):
        assert own_recipe(own) == {}
        assert Recipe.of(fusion, own) == Recipe(
            epochs=7, batch_size=9, learning_rate=0.3, l2_sp=0.5, margin=0.4, scale=11.0, drop_modality=0.6
        )
    plain = Recipe.of(fusion, Block())
    assert (plain.losses, plain.optimiser, plain.schedule) == ({"aam": 1.0}, "adam", "cosine")
    assert (plain.weight_decay, plain.margin_rises, plain.pairs) == (0.0, True, 0)


def test_what_a_model_says_of_its_own_stands_above_fusion_and_nothing_leaves_it():
    fusion = Fusion(epochs=7, drop_modality=0.6)
    found = Recipe.of(fusion, VutSettings(drop_modality=None))
    assert (found.epochs, found.drop_modality) == (20, 0.6)
    assert Recipe.of(fusion, VutSettings(epochs=None)).epochs == 7
    assert not Recipe.of(fusion, VutSettings()).margin_rises  # a "no" is no nothing


@pytest.mark.parametrize("name", ["mlp", "vut_soft", "vut_gated"])
def test_the_heads_of_the_thesis_have_its_recipe(name):
    own = MODELS[name].settings()
    assert own.length == 512
    assert Recipe.of(Fusion(), own) == Recipe(
        loss="aam", margin=0.2, scale=30.0, margin_rises=False, optimiser="sgd", learning_rate=0.005,
        schedule="exponential", decay=0.7, epochs=20, batch_size=80, weight_decay=0.0, l2_sp=0.0, drop_modality=0.0,
        pairs=0,
    )  # fmt: skip


@pytest.mark.parametrize("name", ["baffn_gated", "baffn_attention", "baffn_concat"])
def test_the_heads_of_baffn_have_its_recipe(name):
    own = MODELS[name].settings()
    assert (own.length, own.dropout) == (1024, 0.7 if name == "baffn_concat" else 0.5)
    assert Recipe.of(Fusion(), own) == Recipe(
        loss="ce", margin=0.1, scale=60.0, margin_rises=False, optimiser="amsgrad", learning_rate=1e-3,
        schedule="inverse", decay=1e-4, epochs=60, batch_size=64, weight_decay=1e-4, l2_sp=0.0, drop_modality=0.0,
        pairs=80_000,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ce", {"ce": 1.0}),
        ("am", {"am": 1.0}),
        ("ce + 0.2 centre", {"ce": 1.0, "centre": 0.2}),
        ("0.6 ce+.4centre", {"ce": 0.6, "centre": 0.4}),
        ("2 aam + am", {"aam": 2.0, "am": 1.0}),
    ],
)
def test_losses_are_named_alone_or_as_a_sum(text, expected):
    assert parse_loss(text) == expected


@pytest.mark.parametrize("text", ["", "softmax", "ce +", "ce + ce", "0 ce", "-1 ce", "ce centre", "1.2.3 ce"])
def test_what_is_no_loss_is_refused_in_a_line(text):
    with pytest.raises(ConfigError) as caught:
        filled(BaffnSettings, {"loss": text}, "baffn_gated")
    assert str(caught.value) == (
        f"baffn_gated: loss {text!r}; expected ce, am, aam, centre, each at most once, or a sum such as ce + 0.2 centre"
    )


@pytest.mark.parametrize(
    ("name", "values", "message"),
    [
        ("vut_soft", {"decay": 2.0}, "vut_soft: decay 2.0; expected"),
        ("vut_soft", {"pairs": 10}, "vut_soft: unknown option 'pairs'"),
        ("mlp", {"hidden": 0}, "mlp: hidden 0; expected"),
        ("baffn_gated", {"dropout": 1.0}, "baffn_gated: dropout 1.0; expected a number, at least 0 and below 1"),
        ("baffn_gated", {"optimiser": "lion"}, "baffn_gated: optimiser 'lion'; expected `adam`"),
    ],
)
def test_settings_that_cannot_be_are_refused_in_a_line(name, values, message):
    with pytest.raises(ConfigError) as caught:
        filled(MODELS[name].settings, values, name)
    assert str(caught.value).startswith(message)
    assert len(str(caught.value).splitlines()) == 1

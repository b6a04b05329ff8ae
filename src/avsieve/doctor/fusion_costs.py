"""How long fusion models take to train: steps of their recipe, or a fit to pairs of utterances.

Seconds of a core are user time of `avsieve.fusion.training.train` with one thread, on 2 cores of an AMD EPYC: 3,000
random utterances of 192 and 512 numbers, and 60 speakers; 1,000 and 6,000 for what a speaker adds. Models that read
sequences were timed on synthetic people, with 17 segments or 4 faces an utterance.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from avsieve.fusion.base import FittedModel
from avsieve.fusion.recipe import Recipe
from avsieve.fusion.registry import MODELS

if TYPE_CHECKING:
    from avsieve.config.model import Config

# An example in a step of training, by model; others are taken for the one in the middle.
EXAMPLE_S = {
    "linear": 3.3e-5, "gated": 6.2e-5, "mlp": 1.2e-4, "vut_soft": 6.5e-5, "vut_gated": 5.1e-5, "avn_e": 4.9e-5,
    "vut_video_mean": 3.9e-5, "vut_video_scalar": 6.5e-5, "vut_video_fixed": 8.7e-5, "rjca": 4.6e-3,
    "baffn_gated": 2.9e-4, "baffn_attention": 1.9e-4, "baffn_concat": 4.9e-4,
}  # fmt: skip
OTHER_S = 6.5e-5
# The loss compares each example with a centre of every speaker: per step, speaker and number of the embedding.
CENTRE_S = 1.1e-8
# Of the examples of a step, what encoding an utterance takes: one pass forward and none back.
ENCODE_SHARE = 1 / 3
# A model that is fitted: to each pair, of which so many are drawn at most, and to each utterance.
FIT_PAIR_S, FIT_MOST_PAIRS = 4e-6, 400_000
FIT_UTTERANCE_S = {"evidence": 4e-4}
FIXED_S = 0.5


@dataclass(frozen=True)
class Training:
    """What the trainings of one model on one list, for all seeds, take."""

    model: str
    core_s: float


def trainings(config: Config, utterances: int, speakers: int) -> list[Training]:
    """Return the trainings of every model of embeddings on one list of so many utterances and speakers."""
    return [Training(name, _seconds(config, name, utterances, speakers)) for name in config.fusion.heads]


def _seconds(config: Config, name: str, utterances: int, speakers: int) -> float:
    fusion, model = config.fusion, MODELS[name]
    own = fusion.own(name)
    if not getattr(own, "train", True):
        return FIXED_S
    if issubclass(model, FittedModel):
        pairs = min(FIT_MOST_PAIRS, utterances * utterances / max(1, speakers))
        once = pairs * FIT_PAIR_S + utterances * FIT_UTTERANCE_S.get(name, 0.0)
    else:
        recipe = Recipe.of(fusion, own)
        examples = recipe.pairs or utterances
        steps = recipe.epochs * max(1, examples // recipe.batch_size)
        length = getattr(own, "length", None) or fusion.dim
        in_step = min(examples, recipe.batch_size) * EXAMPLE_S.get(name, OTHER_S) + speakers * length * CENTRE_S
        once = steps * in_step
    return FIXED_S + len(fusion.seeds) * once


def encoding_s(name: str) -> float:
    """Return the seconds of a core to encode an utterance with a model."""
    return 0.0 if issubclass(MODELS[name], FittedModel) else ENCODE_SHARE * EXAMPLE_S.get(name, OTHER_S)

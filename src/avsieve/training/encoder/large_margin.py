"""Large-margin fine-tuning: a short second phase on long crops (Thienpondt et al., arXiv 2010.11255, section 3.2).

Longer crops make embeddings good enough for a margin that would not converge on short ones. Speeds other than 1 go, and
the centres of their classes with them.
"""

from __future__ import annotations

import json
from argparse import ArgumentTypeError
from dataclasses import dataclass, fields

from avsieve.errors import ConfigError
from avsieve.training.encoder.schedule import Schedule


@dataclass(frozen=True)
class LargeMargin:
    """The second phase of a training.

    Parameters
    ----------
    steps
        Its length; 0 for none.
    crop_s
        Length of a crop, seconds.
    batch
        Crops a step; 0 for as many as before.
    margin
        Margin of the AAM-softmax from its first step on, radians.
    lr, lr_end
        First and last learning rate, with half a cosine between them.
    augment
        Treatments to draw from; None for those of the first phase.
    """

    steps: int = 0
    crop_s: float = 6.0
    batch: int = 0
    margin: float = 0.5
    lr: float = 1e-5
    lr_end: float = 1e-7
    augment: tuple[str, ...] | None = None

    def schedule(self) -> Schedule:
        """Return what each step does."""
        return Schedule(
            self.steps,
            lr=self.lr,
            lr_end=self.lr_end,
            warmup=0.0,
            margin=self.margin,
            margin_from=0.0,
            margin_until=0.0,
        )


NONE = LargeMargin()


def large_margin(text: str) -> LargeMargin:
    """Read the settings from JSON, as an option of the command line.

    Raises
    ------
    ArgumentTypeError
        If it is no JSON object, or has a key that is not known.
    """
    known = {field.name for field in fields(LargeMargin)}
    try:
        values = json.loads(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no JSON ({error}); expected such as '{{\"steps\": 1000}}'") from None
    if not isinstance(values, dict) or set(values) - known:
        raise ArgumentTypeError(f"{text!r}: expected keys of {', '.join(sorted(known))}")
    if values.get("augment") is not None:
        values["augment"] = tuple(values["augment"])
    return LargeMargin(**values)


def plain_speed(speeds: tuple[float, ...]) -> int:
    """Return the place of the speed 1 among ``speeds``.

    Raises
    ------
    ConfigError
        If it is not among them.
    """
    if 1.0 not in speeds:
        raise ConfigError(
            f"large-margin fine-tuning goes on with the voices as they are, and the speeds are {list(speeds)}; "
            f"expected 1.0 among them"
        )
    return speeds.index(1.0)

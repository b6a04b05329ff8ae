"""The cleansing methods. A new one is a module with a `Method`, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.registry import Registry

if TYPE_CHECKING:
    from avsieve.cleansing.method import Method

METHODS: Registry[type[Method]] = Registry(
    "cleansing method",
    {
        "posterior": "avsieve.cleansing.methods.posterior:Posterior",
        "fixed_threshold": "avsieve.cleansing.methods.fixed_threshold:FixedThreshold",
        "two_step": "avsieve.cleansing.methods.two_step:TwoStep",
        "mixture": "avsieve.cleansing.methods.mixture:Mixture",
        "confident": "avsieve.cleansing.methods.confident:Confident",
    },
)

"""What must be wrong for an utterance to be flagged. Runs inside Snakemake too."""

from __future__ import annotations

from collections.abc import Collection
from typing import get_args

from avsieve.cleansing.settings import Policy
from avsieve.errors import ConfigError

POLICIES: tuple[str, ...] = get_args(Policy)
_PARTS = {"audio": "voice", "visual": "face"}


def check_policy(policy: str, given: Collection[str]) -> None:
    """Refuse a policy about a modality that there is not.

    Parameters
    ----------
    given
        Of ``audio`` and ``visual``, those that have embeddings.

    Raises
    ------
    ConfigError
        Naming what is missing and the policies that would do.
    """
    if policy not in POLICIES:
        raise ConfigError(f"policy {policy!r}; expected one of {', '.join(POLICIES)}")
    wanted = list(_PARTS) if policy == "both" else [policy] if policy in _PARTS else []
    missing = [m for m in wanted if m not in given]
    if not missing or not given:
        return
    does = "judges voice and face together" if policy == "both" else f"judges {_PARTS[policy]}s"
    raise ConfigError(
        f"policy {policy} {does}, and no {_PARTS[missing[0]]} embeddings were given: give them, or choose policy "
        f"either or {next(iter(given))}"
    )


def check_threshold(threshold: float) -> None:
    """Refuse what is no probability (`ConfigError`)."""
    if not 0 <= threshold <= 1:
        raise ConfigError(f"threshold {threshold}; expected a probability, 0 to 1")

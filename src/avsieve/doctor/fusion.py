"""What trainings of fusion models begin with: published weights, and the encoders of joint models."""

from __future__ import annotations

from importlib.util import find_spec
from typing import TYPE_CHECKING

from avsieve.errors import AvsieveError
from avsieve.sources.findings import Finding

if TYPE_CHECKING:
    from avsieve.config.model import Config


def check_fusion(config: Config) -> list[Finding]:
    """Read each file of weights, and load the encoders of joint models.

    Whether weights fit the embeddings is known only when there are some.
    """
    fusion = config.fusion
    named = {name: getattr(fusion.own(name), "weights", None) for name in fusion.names}
    found = [_looked(f"fusion.models: {name}", path) for name, path in named.items() if path is not None]
    return found + [_tried(config, name) for name in fusion.joint]


def _tried(config: Config, name: str) -> Finding:
    """Load the encoders of a joint model with their first weights."""
    key = f"fusion.models: {name}"
    if find_spec("torch") is None:
        return Finding("note", key, "not checked: torch is not installed")
    from avsieve.joint.encoders import first_encoders

    own = config.joint_settings(name)
    try:
        audio, visual, channels, _ = first_encoders(own)
    except AvsieveError as error:
        return Finding("error", key, str(error), "name weights of these architectures, or none for random ones")
    count = sum(parameter.numel() for encoder in (audio, visual) for parameter in encoder.parameters())
    words = f"{own.audio_arch} and {own.visual_arch} fed with {channels.upper()}, {count / 1e6:.1f} M parameters"
    return Finding("ok", key, f"{words}, {own.encoders}")


def _looked(key: str, path: str) -> Finding:
    if find_spec("torch") is None:
        return Finding("note", key, "not checked: torch is not installed")
    from avsieve.encoders.published import read_published

    try:
        found = read_published(path)
    except AvsieveError as error:
        return Finding("error", key, str(error), "name a file of published weights, or leave weights out")
    kind = f", a {found.kind}" if found.kind else ""
    return Finding("ok", key, f"{path}: {len(found.tensors):,} tensors{kind}")

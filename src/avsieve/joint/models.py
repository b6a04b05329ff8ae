"""Choose a joint model by its name."""

from __future__ import annotations

from avsieve.errors import ConfigError
from avsieve.fusion.registry import MODELS
from avsieve.joint.base import JointModel


def joint_model(name: str) -> type[JointModel]:
    """Return a model of the registry that is trained on signals.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    model = MODELS.get(name)
    if model is None or not issubclass(model, JointModel):
        names = [known for known, found in MODELS.items() if found.joint]
        raise ConfigError(f"joint model {name!r}; expected one of {', '.join(names)}")
    return model

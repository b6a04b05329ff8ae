"""Choose a fusion model that is trained by its name."""

from __future__ import annotations

from avsieve.errors import ConfigError
from avsieve.fusion.base import FusionModel, TrainedModel
from avsieve.fusion.registry import MODELS


def trained_model(name: str) -> type[TrainedModel]:
    """Return a model of the registry that is trained on embeddings.

    Raises
    ------
    ConfigError
        If there is none of that name.
    """
    trained = [known for known, model in MODELS.items() if model.trained and not model.joint]
    model = MODELS[name] if name in trained else FusionModel
    if not issubclass(model, TrainedModel):
        raise ConfigError(
            f"fusion model {name!r} cannot be trained on embeddings; expected one of {', '.join(trained)}"
        )
    return model

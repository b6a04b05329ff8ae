"""How a file of published weights names the tensors of a fusion network."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class PublishedLayout:
    """The names of a published file, and those of the network that takes it.

    Attributes
    ----------
    layers
        Beginnings of names there, without the last dot -> those of the network's own names that take these tensors.
    classifier
        The linear layer over the training speakers; empty where the file has none.
    beside
        Beginnings of names, with the last dot, of what has no part in the embedding.
    settings
        The model's settings that decide which tensors there are and of which shapes, for messages.
    """

    layers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    classifier: str = ""
    beside: tuple[str, ...] = ()
    settings: tuple[str, ...] = ("length",)

    def targets(self, name: str) -> list[str]:
        """Return which of the network's tensors take a published one: those of the longest beginning that is known."""
        begun = _longest(self.layers, name)
        return [own + name.removeprefix(begun) for own in self.layers[begun]] if begun else []

    def source(self, own: str) -> str:
        """Return the published name of a tensor of the network, or its own where it has none."""
        names = {target: theirs for theirs, targets in self.layers.items() for target in targets}
        begun = _longest(names, own)
        return names[begun] + own.removeprefix(begun) if begun else own

    def of_classifier(self, name: str) -> str:
        """Return the name of a tensor within the classifier, empty where it is none of it."""
        head = f"{self.classifier}."
        return name.removeprefix(head) if self.classifier and name.startswith(head) else ""

    def passes_over(self, name: str) -> bool:
        """Tell whether a published tensor has no part in the embedding."""
        return name.startswith(self.beside)


def _longest(beginnings: Collection[str], name: str) -> str:
    return max((begun for begun in beginnings if name.startswith(f"{begun}.")), key=len, default="")

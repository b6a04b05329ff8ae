"""What the networks of encoders offer of their inside, known without a network.

The entries of `avsieve.encoders.registry` and the networks themselves call the same functions. Nothing heavy is
imported, so that a configuration can be checked before anything is loaded. See `avsieve.encoders.states`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from avsieve.errors import ConfigError


@dataclass(frozen=True)
class Layer:
    """A place in a network whose output can be had.

    Attributes
    ----------
    name
        Its name among the network's; for most that of the module which it comes out of.
    channels
        Numbers of a frame, or of a place of a map.
    step
        Distance of neighbours: samples at 16 kHz between frames, pixels of the network's input between places.
    start
        Where the first frame or place has its middle, in the same unit: frame t looks at ``start + t * step`` and to
        both sides of it.
    size
        Height and width of a map. Empty for speech, where the number of frames follows from the input.
    """

    name: str
    channels: int
    step: int
    start: float = 0.0
    size: tuple[int, ...] = ()


def chosen(offers: Iterable[Layer], only: Sequence[str] | None, whose: str) -> tuple[Layer, ...]:
    """Return the layers named ``only`` in that order, all of ``offers`` for None.

    Raises
    ------
    ConfigError
        If there is none of a name; ``whose`` network it is, for the message.
    """
    known = {layer.name: layer for layer in offers}
    for name in only or ():
        if name not in known:
            raise ConfigError(f"{whose} has no inner state {name!r}; expected some of {', '.join(known)}")
    return tuple(known.values()) if only is None else tuple(known[name] for name in only)


def ecapa_layers(channels: int, aggregate: int) -> tuple[Layer, ...]:
    """Return what an ECAPA-TDNN offers: the first convolution, its three blocks, and what joins them.

    A frame has its middle at a multiple of the front end's hop of 160 samples.
    """
    widths = {"stem": channels, "layer1": channels, "layer2": channels, "layer3": channels, "layer4": aggregate}
    return tuple(Layer(name, width, 160) for name, width in widths.items())


def wavlm_layers(blocks: int = 12, width: int = 768) -> tuple[Layer, ...]:
    """Return what WavLM offers: ``layer0`` enters the transformer, ``layer1`` and so on leave its blocks.

    The convolutions before it see 400 samples every 320, so that the first frame has its middle at 199.5.
    """
    return tuple(Layer(f"layer{number}", width, 320, 199.5) for number in range(blocks + 1))


def rawnet2_layers() -> tuple[Layer, ...]:
    """Return what RawNet2 offers: its filters, six blocks, each with a third of the frames, and the recurrent layer.

    A filter has 251 taps, and its middle is 125; each maximum of three moves it by one frame of what it is taken of.
    """
    widths = {"stem": 128, "block0": 128, "block1": 128, "block2": 256, "block3": 256, "block4": 256, "block5": 256}
    layers = [Layer(name, width, 3**n, 125 + (3**n - 1) / 2) for n, (name, width) in enumerate(widths.items(), start=1)]
    return (*layers, Layer("gru", 1024, layers[-1].step, layers[-1].start))


def iresnet_layers(blocks: Sequence[int]) -> tuple[Layer, ...]:
    """Return what an IResNet offers: the first convolution and every block.

    The last block of each of the four resolutions has the resolution's name: ``layer1.0``, ``layer1``, ``layer2.0``, …
    """
    layers = [Layer("stem", 64, 1, size=(112, 112))]
    for number, count in enumerate(blocks, start=1):
        side = 112 >> number
        names = [*(f"layer{number}.{i}" for i in range(count - 1)), f"layer{number}"]
        layers += [Layer(name, 32 << number, 1 << number, size=(side, side)) for name in names]
    return tuple(layers)


# Name, channels, then kernel and stride where they change the map, without padding.
_INCEPTION = (
    ("conv2d_1a", 32, 3, 2), ("conv2d_2a", 32, 3, 1), ("conv2d_2b", 64, 1, 1), ("", 64, 3, 2), ("conv2d_3b", 80, 1, 1),
    ("conv2d_4a", 192, 3, 1), ("conv2d_4b", 256, 3, 2), ("repeat_1", 256, 1, 1), ("mixed_6a", 896, 3, 2),
    ("repeat_2", 896, 1, 1), ("mixed_7a", 1792, 3, 2), ("repeat_3", 1792, 1, 1), ("block8", 1792, 1, 1),
)  # fmt: skip


def inception_layers(side: int) -> tuple[Layer, ...]:
    """Return what Inception-ResNet-v1 offers: every stage under its name, at an input of ``side`` pixels.

    VUT's "lower-level" fusion reads ``conv2d_2a``, ``conv2d_4a`` and one of 256 channels at 11 x 11 (`repeat_1` here).
    """
    layers, step, start = [], 1, 0.0
    for name, width, kernel, stride in _INCEPTION:
        start += (kernel - 1) / 2 * step
        step *= stride
        side = (side - kernel) // stride + 1
        if name:
            layers.append(Layer(name, width, step, start, (side, side)))
    return tuple(layers)


def mobileface_layers(stem: int, widths: Sequence[int], last: int) -> tuple[Layer, ...]:
    """Return what the small face network offers: the first convolution, three stages, and what is pooled."""
    layers = [Layer("stem", stem, 2, size=(56, 56))]
    for number, width in enumerate(widths, start=1):
        step = 2 << number
        layers.append(Layer(f"stage{number}", width, step, size=(112 // step, 112 // step)))
    return (*layers, Layer("last", last, layers[-1].step, size=layers[-1].size))

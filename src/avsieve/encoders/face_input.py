"""What a face network is fed with: size, standardisation and order of the channels, as each architecture has them.

Callers hand faces (B, 3, h, w) in [-1, 1] to any network; what it needs beyond that, its own description does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import torch.nn.functional as F
from torch import Tensor

from avsieve.encoders.checkpoint import is_within, strip_prefixes

CHANNELS = ("rgb", "bgr")


@dataclass(frozen=True)
class FaceInput:
    """The description of a network's input.

    Attributes
    ----------
    size
        Side of the square that the network was trained at, in pixels.
    mean, scale
        Pixels x of 0..255 are fed as ``(x - mean) / scale``.
    whitened
        Whether each image is brought to mean 0 and deviation 1 instead, over all its pixels and channels, as FaceNet's
        code "prewhitens" for weights that were not trained with its "fixed image standardization".
    layouts
        Pairs of what a checkpoint holds, and the order of channels, ``rgb`` or ``bgr``, that whoever writes such files
        trains with; the first that fits counts. A name that ends in a dot fits a checkpoint with a key that begins so,
        any other name one with exactly that key, and ``""`` fits every checkpoint. Leading ``module.`` are ignored.
        Without any that fits, the order is not known.
    """

    size: int = 112
    mean: float = 127.5
    scale: float = 127.5
    layouts: tuple[tuple[str, str], ...] = ()
    whitened: bool = False

    def prepare(self, faces: Tensor) -> Tensor:
        """Return ``faces`` (B, 3, h, w) in [-1, 1] as (B, 3, size, size), standardised as the network knows them."""
        if faces.shape[2:] != (self.size, self.size):
            faces = F.interpolate(faces, (self.size, self.size), mode="bilinear", align_corners=False)
        if self.whitened:
            return whiten(faces)
        if (self.mean, self.scale) != (127.5, 127.5):
            faces = faces * (127.5 / self.scale) + (127.5 - self.mean) / self.scale
        return faces

    def channels_of(self, names: Iterable[str]) -> str | None:
        """Return the order of channels behind a checkpoint with keys ``names``; None if that is not known."""
        short = list(strip_prefixes(names, ("module.",)).values())
        for held, order in self.layouts:
            if not held or any(is_within(name, (held,)) for name in short):
                return order
        return None


def whiten(faces: Tensor) -> Tensor:
    """Return each face of (B, 3, h, w) in [-1, 1] with mean 0 and deviation 1.

    The deviation of pixels in 0..255 is taken for at least one over the root of their number, so that an image of one
    colour is 0 and not infinite.
    """
    pixels = faces.float() * 127.5
    mean = pixels.mean(dim=(1, 2, 3), keepdim=True)
    deviation = pixels.std(dim=(1, 2, 3), keepdim=True, correction=0)
    return ((pixels - mean) / deviation.clamp_min(pixels[0].numel() ** -0.5)).to(faces.dtype)

"""The kinds of damage to signals, and the parameters of each."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, field_validator

from avsieve.settings import Block, Positive, Share, key

SIZE = 112  # of an aligned face, `avsieve.faces.template.SIZE`, whose module Snakemake must not load


class Noise(Block):
    """Noise over a whole utterance."""

    snr_db: float = key(..., "Ratio of the energies of speech and noise over the utterance's whole length, in dB.")
    sound: Literal["white", "pink", "babble", "recording"] = key(
        "white", "Generated noise, other speakers of the shard, or a recording from the folders of noise."
    )


class Clipping(Block):
    """Samples beyond a limit are set to it."""

    clipped: Share = key(0.1, "Share of the samples that are clipped.")


class Short(Block):
    """A piece alone."""

    seconds: Positive = key(1.0, "Length of the piece.")


class Reverberation(Block):
    """A room."""

    t60_s: Positive = key(
        0.8, "Time until the sound of the generated room has lost 60 dB; recorded rooms have their own."
    )


class Blur(Block):
    """A Gaussian blur."""

    kernel: int = key(7, "Width of the kernel, in pixels; odd.", ge=1)
    sigma: Positive = key(3.0, "Standard deviation, in pixels.")

    @field_validator("kernel")
    @classmethod
    def _is_odd(cls, value: int) -> int:
        if value % 2 == 0:
            raise ValueError("an odd number, since a pixel lies in the middle of the kernel")
        return value


class LowResolution(Block):
    """A face that was small in the frame."""

    pixels: Annotated[int, Field(ge=1, le=SIZE)] = key(16, "Width that the face is reduced to before it is enlarged.")


class Occlusion(Block):
    """A rectangle over the face."""

    covered: Share = key(0.4, "Share of the face's area that is covered.")


class Overexposure(Block):
    """Too much light."""

    stops: float = key(2.0, "The light is multiplied by 2 to this power.")


class Crop(Block):
    """A piece of the face alone."""

    pixels: Annotated[int, Field(ge=1, le=SIZE)] = key(70, "Width of the piece, which is enlarged to a whole face.")


class OneFrame(Block):
    """A single face of the utterance."""


KINDS: dict[str, dict[str, type[Block]]] = {
    "audio": {"noise": Noise, "clipping": Clipping, "short": Short, "reverberation": Reverberation},
    "visual": {
        "blur": Blur,
        "low_resolution": LowResolution,
        "occlusion": Occlusion,
        "overexposure": Overexposure,
        "crop": Crop,
        "one_frame": OneFrame,
    },
}
"""Modality -> kind -> its parameters."""
OTHERS = ("missing", "other_person")
"""Kinds that damage no signal: a modality that is not there, and one that is somebody else's."""

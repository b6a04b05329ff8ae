"""The settings of face detection and alignment. Snakemake reads them: nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import Field, field_validator

from avsieve.settings import Block, Share, key
from avsieve.storage.crops import ALIGNED, CROPS, listed

if TYPE_CHECKING:
    CropName = str
else:
    CropName = Literal[CROPS.names]


class Faces(Block):
    """Faces in the frames."""

    detector: str = key(
        "builtin",
        "`builtin` (small, for the embedded corpus), an `.onnx` file, a folder of them, or the name of an InsightFace "
        "pack such as `buffalo_l`. InsightFace's own models are for non-commercial research only.",
        "align_faces",
    )
    detector_size: Annotated[int, Field(ge=32, le=2048)] | Literal["auto"] = key(
        "auto",
        "Side of the detector's square input, in pixels, a multiple of 32; `auto` takes the size of the frames, up to "
        "640 (VoxCeleb2's crops are 224).",
        "align_faces",
    )
    min_score: Share = key(0.5, "Faces with a lower detector score are recorded but not used.", "align_faces")
    tracking: bool = key(
        False,
        "Search for a face near its position in the previous frame, and in the whole frame when it is lost and in "
        "every fifth frame. Faster if faces are small in the frame; other faces may be missed in between.",
        "align_faces",
    )
    landmarks: str = key(
        "none",
        "`none` aligns with the detector's five landmarks; an `.onnx` file or InsightFace pack with `2d106det` "
        "aligns with five of its 106, as AVCleanse did.",
        "align_faces",
    )
    jpeg_quality: int = key(95, "JPEG quality of the aligned faces.", "align_faces", ge=1, le=100)
    crops: list[CropName] = key(
        lambda: [ALIGNED],
        f"Kinds of crops that are cut out of each frame: {listed()}. The first is always among them. An encoder says "
        "which it wants; others than the first have tars of their own.",
        "align_faces",
    )

    @field_validator("crops")
    @classmethod
    def _has_the_aligned(cls, crops: list[str]) -> list[str]:
        if ALIGNED not in crops:
            raise ValueError(f"expected {ALIGNED} among them: faces are judged and shown by it")
        if twice := sorted({kind for kind in crops if crops.count(kind) > 1}):
            raise ValueError(f"{twice[0]} is named {crops.count(twice[0])} times; expected each kind once")
        return crops

    @property
    def other_crops(self) -> list[str]:
        """The kinds that are written beside the aligned faces."""
        return [kind for kind in self.crops if kind != ALIGNED]

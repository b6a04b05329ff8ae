"""Face images and wavs: their settings, and what the source tells of itself."""

from __future__ import annotations

from avsieve.faces.settings import CropName
from avsieve.settings import Block, key
from avsieve.sources.containers import EXTENSIONS
from avsieve.sources.contract import SourceContract, folder_roots
from avsieve.sources.layout import DEFAULT
from avsieve.sources.settings import LAYOUT, LIST, LayoutText
from avsieve.storage.crops import ALIGNED, listed


class Frames(Block):
    """Existing face images and wavs, such as VoxCeleb1's face release (`source.kind: frames`)."""

    faces: str | None = key(
        None,
        "Folder of the images: `speaker/video/utterance/*.jpg`, or `speaker/video/*.jpg` for all of a video's "
        "utterances (`speaker/1.6/video/*.jpg` in VoxCeleb1's face release).",
        "plan_shards",
    )
    wavs: str | None = key(None, "Folder of the sound: `speaker/video/utterance.wav`.", "refused")
    layout: LayoutText = key(DEFAULT, f"Layout of the sound and of the image folders: {LAYOUT}", "plan_shards")
    names: str | None = key(
        None, "`vox1_meta.csv`, if the image folders have names and the sound folders ids.", "plan_shards"
    )
    aligned: bool = key(
        False,
        "The images are already aligned faces of 112 x 112 (AVCleanse's `frame_align`): no detection.",
        "align_faces",
    )
    crop: CropName = key(
        ALIGNED,
        f"What kind of crop such faces are: {listed()}. An encoder that wants another is refused.",
        "align_faces",
    )
    train_list: str | None = key(None, LIST, "plan_shards")
    test_faces: str | None = key(None, "Images of other people, for the trials.", "plan_shards")
    test_wavs: str | None = key(None, "Their sound.", "plan_shards")


class FramesSource(SourceContract[Frames]):
    """Images of faces and sound that lie in folders and stay there."""

    name = "frames"
    block = Frames
    plan = "avsieve.sources.frames.plan:plan"
    fetch = "avsieve.sources.frames.fetch:fetch"
    check = "avsieve.sources.frames.check:check"
    also_watched = "avsieve.sources.frames.fetch:also_watched"
    folders = ("faces", "wavs", "test_faces", "test_wavs")
    plan_keys = (*folders, "layout", "names", "train_list")
    fetch_keys = folders
    other_keys = ("aligned", "crop")
    needed = ("wavs", "give the folder of the wavs; `faces` is the folder of the images")
    plan_files = ("train_list", "names")
    named_folders = (("wavs",), ("test_wavs",))
    named_endings = EXTENSIONS

    def refuse_misfits(self) -> None:
        """Look whether the settings are whole: images are missing only where sound alone is wanted."""
        super().refuse_misfits()
        if self.wanted == "both" and not self.settings.faces:
            raise ValueError("frames.faces is missing: give the folder of the images, or set modalities to audio")
        if self.settings.crop != ALIGNED and not self.settings.aligned:
            raise ValueError(
                f"frames.crop is {self.settings.crop!r}, and frames.aligned is false: set aligned to true if the "
                "images are such crops, or name the kind in faces.crops to have it cut out"
            )

    def roots(self, made: str) -> dict[str, str | None]:
        """Return the folders that the media index starts from."""
        if self.settings.faces is None:  # sound alone
            return folder_roots(self.settings, "wavs", "test_wavs")
        return folder_roots(self.settings, "faces", "test_faces", "wavs", "test_wavs")

    @property
    def aligned(self) -> bool:
        """Whether the images are aligned faces."""
        return self.settings.aligned

    @property
    def aligned_as(self) -> str:
        """The kind of crop that its images are."""
        return self.settings.crop

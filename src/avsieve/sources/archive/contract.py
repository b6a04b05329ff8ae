"""Archives of clips: their settings, and what the source tells of itself."""

from __future__ import annotations

from avsieve.settings import Block, key
from avsieve.sources.contract import SourceContract
from avsieve.sources.layout import DEFAULT
from avsieve.sources.settings import LAYOUT, LIST, LayoutText


class Archive(Block):
    """Archives of clips, zip or tar, whole or in parts, read in place (`source.kind: archive`)."""

    video: list[str] = key(
        list, "Archives of the clips; `*` matches anything, so `vox2_dev_mp4_part*` matches all parts.", "refused"
    )
    layout: LayoutText = key(DEFAULT, f"The last parts of a clip's path in an archive: {LAYOUT}", "plan_shards")
    audio: list[str] = key(list, "Archives of the sound, if separate (`vox2_dev_aac_part*`).", "plan_shards")
    train_list: str | None = key(None, LIST, "plan_shards")
    test_video: list[str] = key(list, "Archives of other people's clips, for the trials.", "plan_shards")
    test_audio: list[str] = key(list, "Archives of their sound, if separate.", "plan_shards")
    verify: bool = key(
        False,
        "Verify the checksums in a zip, which reads every byte one more time; decoding detects a damaged clip in any "
        "case.",
        "fetch_media",
    )


class ArchiveSource(SourceContract[Archive]):
    """Clips that lie in archives and are read in place."""

    name = "archive"
    block = Archive
    plan = "avsieve.sources.archive.plan:plan"
    fetch = "avsieve.sources.archive.fetch:fetch"
    check = "avsieve.sources.archive.check:check"
    archives = ("video", "audio", "test_video", "test_audio")
    plan_keys = (*archives, "layout", "train_list")
    fetch_keys = (*archives, "verify")
    needed = ("video", "name the archives, such as [data/vox2_dev_mp4_part*]")
    plan_files = ("train_list",)

    def roots(self, made: str) -> dict[str, str | None]:
        """Return where the media index starts from; its paths are whole, since archives may lie anywhere."""
        return {"train_root": "."}

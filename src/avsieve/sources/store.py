"""The store: a folder of the user's that downloads are kept in, whatever becomes of a run's results.

::

    store/clips/speaker/video/utterance.mp4   the clips: a tree, which `source.kind: tree` reads as well
    store/ledger/speaker.jsonl                what was asked for and what came of it
    store/partial/…                           downloads in progress, taken up by the next run
    store/videos/video.mp4                    whole videos, where they are to be kept
"""

from __future__ import annotations

from pathlib import Path

CLIPS, LEDGER, PARTIAL, VIDEOS = "clips", "ledger", "partial", "videos"


class Store:
    """Where things lie below the folder ``root``."""

    def __init__(self, root: str | Path) -> None:
        self.root = Path(root)

    def clip_name(self, utterance: str, extension: str = ".mp4") -> str:
        """Return the path of a clip relative to the store, as the media index has it."""
        return f"{CLIPS}/{utterance}{extension}"

    def clip_path(self, utterance: str, extension: str = ".mp4") -> Path:
        """Return the path of a clip."""
        return self.root / self.clip_name(utterance, extension)

    def ledger_path(self, speaker: str) -> Path:
        """Return the path of a speaker's ledger."""
        return self.root / LEDGER / f"{speaker}.jsonl"

    def partial_dir(self, key: str) -> Path:
        """Return the folder for the download of ``key`` (an utterance, or ``speaker/video``); it may not exist yet."""
        return self.root / PARTIAL / key

    @property
    def videos(self) -> Path:
        """Folder of the whole videos."""
        return self.root / VIDEOS

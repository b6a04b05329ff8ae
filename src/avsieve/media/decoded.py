"""What comes out of a clip: frames, sound, and what was wrong with it."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from avsieve.storage.reasons import Reason


@dataclass
class Decoded:
    """What came out of a clip.

    ``frames`` maps a frame's name, which is its time (`avsieve.media.frame_names`), to its JPEG; with ``as_images`` it
    is empty and ``images`` maps the names to (height, width, 3) uint8 BGR. ``wave`` is (n,) int16 at 16 kHz, or
    ``None``.
    ``audio_s`` is the length of the sound and ``video_s`` the end of the picture, in seconds; ``audio_start_s`` is when
    the sound sets in. Times count from the start of the presentation.
    """

    code: Reason = Reason.OK
    detail: str = ""
    frames: dict[str, bytes] = field(default_factory=dict)
    images: dict[str, np.ndarray] = field(default_factory=dict)
    wave: np.ndarray | None = None
    audio_s: float = 0.0
    video_s: float = 0.0
    audio_start_s: float = 0.0
    size: int = 0
    """Bytes of the frames."""

    def add_frame(self, name: str, content: bytes | np.ndarray) -> None:
        """Add a frame, as a JPEG or an image.

        Raises
        ------
        ValueError
            If there is one of that name: it would be lost.
        """
        if name in self.frames or name in self.images:
            raise ValueError(f"frame {name} is there already; names of frames must differ")
        self.size += len(content) if isinstance(content, bytes) else content.nbytes
        if isinstance(content, bytes):
            self.frames[name] = content
        else:
            self.images[name] = content

    def note(self, code: Reason, detail: str) -> None:
        """Keep the first thing that is wrong as the code, and all of them in the detail."""
        if self.code is Reason.OK:
            self.code = code
        self.remark(detail)

    def remark(self, detail: str) -> None:
        """Add to the detail what does not make the clip bad."""
        self.detail = f"{self.detail}; {detail}" if self.detail else detail

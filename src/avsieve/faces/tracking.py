"""Follow faces over the frames of an utterance and choose the one that the video is about."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np


@dataclass
class Track:
    """One face over several frames."""

    boxes: dict[int, np.ndarray] = field(default_factory=dict)
    """Frame number -> box (4,)."""
    index: dict[int, int] = field(default_factory=dict)
    """Frame number -> which of the frame's detections it is."""

    def add(self, frame: int, detection: int, box: np.ndarray) -> None:
        """Append a detection."""
        self.boxes[frame] = box
        self.index[frame] = detection

    @property
    def last(self) -> int:
        """Number of the last frame."""
        return max(self.boxes)


def overlaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Return intersection over union (n, m) of boxes (n, 4) and (m, 4)."""
    low = np.maximum(a[:, None, :2], b[None, :, :2])
    high = np.minimum(a[:, None, 2:], b[None, :, 2:])
    inner = np.clip(high - low, 0, None).prod(axis=2)
    areas = [np.clip(x[:, 2:] - x[:, :2], 0, None).prod(axis=1) for x in (a, b)]
    return inner / np.maximum(areas[0][:, None] + areas[1][None] - inner, 1e-9)


def _overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Return intersection over union of two boxes (4,)."""
    (ax1, ay1, ax2, ay2), (bx1, by1, bx2, by2) = a.tolist(), b.tolist()
    inner = max(min(ax2, bx2) - max(ax1, bx1), 0.0) * max(min(ay2, by2) - max(ay1, by1), 0.0)
    areas = max(ax2 - ax1, 0.0) * max(ay2 - ay1, 0.0) + max(bx2 - bx1, 0.0) * max(by2 - by1, 0.0)
    return inner / max(areas - inner, 1e-9)


def link_tracks(frames: list[np.ndarray], *, min_overlap: float = 0.3, max_gap: int = 3) -> list[Track]:
    """Link the boxes of successive frames into tracks, the greatest overlap first.

    Parameters
    ----------
    frames
        Boxes (n, 4) of each frame; n may be 0.
    min_overlap
        Least intersection over union of a track's last box with its next.
    max_gap
        Frames in a row that a face may be missed before its track ends.
    """
    tracks: list[Track] = []
    for number, boxes in enumerate(frames):
        live = [t for t in tracks if number - t.last <= max_gap + 1] if len(boxes) else []
        free = set(range(len(boxes)))
        if len(live) == len(boxes) == 1:  # nearly all frames: not worth a table
            if _overlap(live[0].boxes[live[0].last], boxes[0]) >= min_overlap:
                live[0].add(number, 0, boxes[0])
                free.clear()
        elif live:
            table = overlaps(np.stack([t.boxes[t.last] for t in live]), boxes)
            while table.max() >= min_overlap:
                i, j = divmod(int(table.argmax()), len(boxes))
                live[i].add(number, j, boxes[j])
                free.discard(j)
                table[i], table[:, j] = -1, -1
        for j in sorted(free):
            track = Track()
            track.add(number, j, boxes[j])
            tracks.append(track)
    return tracks


def prominence(box: np.ndarray, width: int, height: int) -> float:
    """Return how prominent a face is: its share of the image's height, less the farther it is from the centre.

    At half the way from the centre to the edge it counts 0.6 of what it would in the centre.
    """
    x1, y1, x2, y2 = box.tolist()
    away = math.hypot((x1 + x2) / 2 / width - 0.5, (y1 + y2) / 2 / height - 0.5)
    size = math.sqrt(max(x2 - x1, 0) * max(y2 - y1, 0)) / height
    return size * math.exp(-0.5 * (away / 0.25) ** 2)


def choose_faces(frames: list[np.ndarray], width: int, height: int) -> dict[int, int]:
    """Return, for each frame that has it, which detection is the face that the video is about.

    The track with the greatest sum of `prominence` is taken: large, near the centre and long. Where it is interrupted,
    by a cut or a quick move, other tracks of at least half its mean prominence fill in; a passer-by does not.
    """
    ranked = []
    for track in link_tracks(frames):
        values = [prominence(box, width, height) for box in track.boxes.values()]
        ranked.append((sum(values), sum(values) / len(values), track))
    ranked.sort(key=lambda item: -item[0])
    chosen: dict[int, int] = {}
    for _, mean, track in ranked:
        if mean >= 0.5 * ranked[0][1] and not chosen.keys() & track.index.keys():
            chosen.update(track.index)
    return chosen

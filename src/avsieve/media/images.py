"""A folder of images in place of a video: frames that somebody else took, kept as they are."""

from __future__ import annotations

import os
from pathlib import Path

from avsieve.media.decoded import Decoded
from avsieve.media.file_identity import check_images, image_files, images_stamp
from avsieve.media.limits import check_output, check_pixels
from avsieve.media.settings import Limits
from avsieve.storage.file_names import JPEG_ENDINGS, shown
from avsieve.storage.ids import id_part
from avsieve.storage.jpeg import image_of, jpeg_of, size_of
from avsieve.storage.reasons import Reason


def _content(path: Path) -> tuple[bytes, os.stat_result]:
    with path.open("rb") as handle:
        return handle.read(), os.fstat(handle.fileno())


def read_images(folder: Path, jpeg_quality: int | None, stamp: str = "", limits: Limits | None = None) -> Decoded:
    """Return the images of a folder as frames, named by their stems, in the order of their names or numbers.

    JPEGs are passed on to the byte; others become JPEGs. Images that cannot be decoded are left out, and told.

    Parameters
    ----------
    folder
        Holds the images of one utterance.
    jpeg_quality
        Quality of what becomes a JPEG; ``None`` for images.
    stamp
        What the media index says of the images, see `avsieve.media.file_identity`.
    limits
        How large the images may be, and how much they may be together.

    Raises
    ------
    ChangedError
        If they are not those that were indexed.
    LostError
        If they are more than the limits allow.
    """
    limits = limits or Limits()
    out = Decoded()
    paths = [folder / entry.name for entry in image_files(folder)]
    contents = [_content(path) for path in paths]
    if stamp:
        found = images_stamp((path.name, stat) for path, (_, stat) in zip(paths, contents, strict=True))
        check_images(folder.name, found, stamp)
    read = dict(zip(paths, (content for content, _ in contents), strict=True))
    paths = sorted(paths, key=_order)
    names = _names(paths)
    bad = []
    for path in paths:
        content = read[path]
        check_pixels(*size_of(content), limits)
        image = image_of(content)
        if image is None:
            bad.append(shown(path.name))
            continue
        check_pixels(image.shape[1], image.shape[0], limits)
        if jpeg_quality is None:
            out.add_frame(names[path], image)
        else:
            as_it_is = path.suffix.lower() in JPEG_ENDINGS
            out.add_frame(names[path], content if as_it_is else jpeg_of(image, jpeg_quality))
        check_output(out.size, limits)
    if not paths:
        out.note(Reason.NO_FRAMES, f"{folder.name}: no image in the folder")
    if bad:
        some = f"{', '.join(bad[:3])}{', …' if len(bad) > 3 else ''}"
        out.note(Reason.IMAGE_UNDECODABLE, f"{len(bad)} of {len(paths)} images cannot be decoded: {some}")
    return out


def _order(path: Path) -> tuple[int, str]:
    """Sort by number where names are numbers, so that 10000 follows 9990; else by name."""
    return (int(path.stem), path.name) if path.stem.isascii() and path.stem.isdigit() else (-1, path.name)


def _names(paths: list[Path]) -> dict[Path, str]:
    """Return the frame names of images: their stems, written as ids are; with the ending where stems are the same."""
    taken: set[str] = set()
    names = {}
    for path in paths:
        name = id_part(path.stem)
        if name in taken:
            name = id_part(f"{path.stem}_{path.suffix[1:]}")
        while name in taken:
            name += "_"
        taken.add(name)
        names[path] = name
    return names

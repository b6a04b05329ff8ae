"""What may be set about the report."""

from __future__ import annotations

from avsieve.settings import Block, Positive, key


class Report(Block):
    """The page at the end."""

    title: str = key("AVSieve", "Title of the page.", "write_report")
    flagged: int = key(24, "Flagged utterances on the contact sheet.", "write_report", ge=0)
    close_calls: int = key(6, "Number of close calls shown.", "write_report", ge=0)
    mistakes: int = key(12, "Number of mistakes shown, if the truth is known.", "write_report", ge=0)
    faces_per_row: int = key(5, "Faces per row of a sheet.", "write_report", ge=1)
    players: int = key(
        4,
        "Rows of each sheet with sound; below them only what is flagged for its voice has some. 0: no sound at all.",
        "write_report",
        ge=0,
    )
    voice_s: Positive = key(3.0, "Length of each sound, in seconds.", "write_report")
    with_audit: bool = key(
        False,
        "Make the audit (`audit_noise`) part of every run. Otherwise the report shows the audit that is there, if any.",
        "write_report",
    )

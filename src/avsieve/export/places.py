"""What can be exported, by kind of file: where it lies, and what says of which utterances there can be anything."""

from __future__ import annotations

from avsieve.storage import paths as P

PLACES = {"faces": P.align.faces, "wav": P.extract.wav, "frames": P.extract.frames}
"""The tars that hold it, one a shard."""
STATUS = {"faces": P.align.status, "wav": P.extract.status, "frames": P.extract.status}
"""The status tables of the stages that made them."""

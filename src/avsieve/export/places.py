"""Where the files that can be exported lie below the results, by shard."""

from __future__ import annotations

PLACES = {"faces": "align/{}.faces.tar", "wav": "extract/{}.wav.tar", "frames": "extract/{}.frames.tar"}

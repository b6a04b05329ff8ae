"""What the settings of several sources have in common: lists of utterances, and layouts of folders."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from avsieve.errors import ConfigError
from avsieve.sources.layout import Layout

# The layouts that `avsieve.lists.layouts` reads, for every source that takes a list.
LISTS = (
    "`train_all.txt` (`speaker wav seconds`), a cleansed list, `speaker wav` lines, `utterance speaker` lines (Kaldi's "
    "`utt2spk`), a bare list of wavs, or VoxCeleb1's `iden_split.txt`"
)
LIST = f"{LISTS}; without it every utterance found is used."
STORE = "Folder for the clips; files already there are not downloaded again."


def _layout(text: str) -> str:
    try:
        return Layout(text).text
    except ConfigError as error:
        raise ValueError(str(error)) from None


LayoutText = Annotated[str, AfterValidator(_layout)]
LAYOUT = (
    "`speaker/video/utterance`; `speaker/utterance` where each clip is its own video; `*` for a folder whose name "
    "does not matter (`speaker/*/video/utterance`); a word that occurs twice covers two folders."
)

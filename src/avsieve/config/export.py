"""The configuration of exports: which utterances leave a run, and in what; forms bring their own keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import create_model

from avsieve.export.registry import FORMS
from avsieve.export.settings import Wish
from avsieve.settings import Block, key

_RULES = [f"`export_{name}`" for name in FORMS]


class Folder(Block):
    """Where exports go."""

    out: str = key("export", "Folder to write to.", "export_tree")


if TYPE_CHECKING:

    class Export(Wish, Folder):
        """The keys that all forms share; those of each form are beside them when it runs."""

else:
    _OWN = [block for block in dict.fromkeys(form.settings for form in FORMS.values()) if block is not Block]
    Export = create_model(
        "Export",
        __base__=(*_OWN, Wish, Folder),
        __module__=__name__,
        __doc__=(
            f"What leaves a run in another layout: `snakemake export_tree`, {', '.join(_RULES[1:-1])} or {_RULES[-1]}. "
            "Each is written to the folder of its name below `out`."
        ),
    )

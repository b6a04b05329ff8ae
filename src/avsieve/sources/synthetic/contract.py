"""The embedded corpus: its settings, and what it tells of itself."""

from __future__ import annotations

from avsieve.sources.contract import SourceContract
from avsieve.sources.synthetic.settings import Synthetic


class SyntheticSource(SourceContract[Synthetic]):
    """Clips of people who do not exist, rendered by the run, with labels made wrong on purpose."""

    name = "synthetic"
    block = Synthetic
    plan = "avsieve.sources.synthetic.plan:plan"
    fetch = "avsieve.sources.synthetic.fetch:fetch"
    check = "avsieve.sources.synthetic.check:check"
    plan_keys = fetch_keys = tuple(Synthetic.model_fields)
    plan_outputs = ("speakers_table", "truth")
    fetch_outputs = ("tar",)
    rules = "synthetic"
    fetching = "rendered"
    encodes = True
    made_up = True
    keeps_people = False  # it makes other people for the trials

    @property
    def has_test_set(self) -> bool:
        """Whether it makes people for the trials."""
        return bool(self.settings.test_speakers)

    @property
    def speakers(self) -> int:
        """How many people it makes."""
        return self.settings.speakers + self.settings.test_speakers

    @property
    def test_utterances(self) -> int:
        """How many utterances it makes of people for the trials."""
        made = self.settings
        return made.test_speakers * made.test_videos * made.test_utterances

    def training_utterances(self) -> list[str]:
        """Return the utterances of the training part."""
        from avsieve.sources.plan import TRAIN
        from avsieve.sources.synthetic.plan import corpus_of
        from avsieve.synthetic.corpus import plan_rows

        rows = plan_rows(corpus_of(self.settings))
        return list(rows.loc[rows["subset"] == TRAIN, "utterance"])

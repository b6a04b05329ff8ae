"""The contract of a source: what it tells of itself to the configuration, the rules and the doctor.

A source is a subclass of `SourceContract`, with a line in `avsieve.sources.registry`. The rules ask it inside
Snakemake, so its module imports nothing heavier than pydantic; what is heavy lies in its parts, which are named as text
and imported when they are called. A rule runs again when the code of the part that it calls changes, and for no other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, ClassVar, Generic, Literal, TypeVar

from avsieve.settings import Block
from avsieve.storage.crops import ALIGNED

Fetching = Literal["found", "downloaded", "rendered", "none"]
Part = Literal["plan", "fetch", "check", "also_watched"]
S_co = TypeVar("S_co", bound=Block, covariant=True)
MODALITIES = ("audio", "visual")


class SourceContract(Generic[S_co]):
    """A source with its settings.

    Parameters
    ----------
    settings
        Its block of the configuration.
    modalities
        What the configuration wants of it: ``both``, or ``audio``.
    """

    name: ClassVar[str]
    """As the configuration and the registry have it."""
    block: ClassVar[type[Block]]
    """Its settings."""

    # Its parts, as "module:function".
    plan: ClassVar[str]
    """``plan(settings, **plan_outputs)`` returns ``utterance``, ``subset``, ``path`` and ``seconds``, a row per
    utterance in the order of the training list."""
    fetch: ClassVar[str]
    """``fetch(rows, settings, **fetch_outputs)`` brings the clips of a shard: the media index and the status."""
    check: ClassVar[str | None] = None
    """``check(settings, modalities)`` tells the doctor what is there and what is wrong (`SourceFacts`)."""
    also_watched: ClassVar[str | None] = None
    """``also_watched(rows, index, settings)`` yields what the source looked at beside what its index points to."""

    # Which part reads which key: a change of a key reruns no more than what reads it.
    plan_keys: ClassVar[tuple[str, ...]]
    fetch_keys: ClassVar[tuple[str, ...]]
    other_keys: ClassVar[tuple[str, ...]] = ()
    """Keys that only later stages read."""
    plan_outputs: ClassVar[tuple[str, ...]] = ()
    """What planning writes beside the plan: ``truth`` (who is really seen and heard), ``speakers_table`` (sexes)."""
    fetch_outputs: ClassVar[tuple[str, ...]] = ()
    """What fetching writes beside the index and the status."""

    # What it cannot do without, and what lies on the disk.
    needed: ClassVar[tuple[str, str] | None] = None
    """The key that must be given, and what to give. It also tells one corpus from another of the same kind."""
    plan_files: ClassVar[tuple[str, ...]] = ()
    """Keys of files that the plan is made from, so that another content of them makes another plan."""
    lists: ClassVar[tuple[str, ...]] = ("train_list",)
    """Keys of files that name the training utterances: with one of them, no names of folders do."""
    folders: ClassVar[tuple[str, ...]] = ()
    """Keys of folders that must be there."""
    archives: ClassVar[tuple[str, ...]] = ()
    """Keys of patterns of archives that must be there, and whose directories make the plan."""
    named_folders: ClassVar[tuple[tuple[str, ...], tuple[str, ...]]] = ((), ())
    """Keys of folders whose names make the plan: those of the training, where no list does, and those of the test."""
    named_endings: ClassVar[tuple[str, ...]] = ()
    """Endings of the files whose names are meant."""

    # How clips come, and what they are.
    rules: ClassVar[str] = "clips"
    """Which file of rules plans and fetches: ``workflow/rules/source_<rules>.smk``."""
    fetching: ClassVar[Fetching] = "found"
    """Clips are found where they lie, downloaded into a store, or rendered by the run; or there are none."""
    encodes: ClassVar[bool] = False
    """Whether clips are cut or made, so that ffmpeg must be there with its encoders; else PyAV decodes them."""
    made_up: ClassVar[bool] = False
    """Whether its people are made up: those that the shipped models were trained on."""
    keeps_people: ClassVar[bool] = True
    """Whether people of the training part are kept for the trials where there are no others."""

    def __init__(self, settings: S_co, modalities: str = "both") -> None:
        self.settings = settings
        self.wanted = modalities

    @classmethod
    def module(cls, part: Part) -> str:
        """Return the module of a part, for the hash of the code that a rule runs."""
        return str(getattr(cls, part)).partition(":")[0]

    @classmethod
    def load(cls, part: Part) -> Callable[..., Any]:
        """Import a part and return its function."""
        module, _, function = str(getattr(cls, part)).partition(":")
        found: Callable[..., Any] = getattr(import_module(module), function)
        return found

    def given(self, keys: Iterable[str]) -> list[str]:
        """Return the values of those of ``keys`` that are given."""
        return [value for key in keys if (value := getattr(self.settings, key)) is not None]

    def missing(self) -> str | None:
        """Return what is wrong where a key is not given that the source cannot do without: ``key is missing: …``."""
        if self.needed is None or getattr(self.settings, self.needed[0]):
            return None
        return f"{self.name}.{self.needed[0]} is missing: {self.needed[1]}"

    def refuse_misfits(self) -> None:
        """Look whether the settings are whole and fit each other.

        Raises
        ------
        ValueError
            Naming the key and what to give.
        """
        if missing := self.missing():
            raise ValueError(missing)

    def note(self) -> dict[str, Any]:
        """Return what tells this corpus from another, as a note beside the plan."""
        if self.needed is None:
            return {"kind": self.name}
        value = getattr(self.settings, self.needed[0])
        return {"kind": self.name, self.needed[0]: value if isinstance(value, list) else str(value)}

    # What there is of it.

    @property
    def has_media(self) -> bool:
        """Whether there are clips; else embeddings are all there is."""
        return self.fetching != "none"

    @property
    def modalities(self) -> list[str]:
        """The modalities that a run has of it."""
        return ["audio"] if self.wanted == "audio" else list(MODALITIES)

    @property
    def aligned(self) -> bool:
        """Whether its faces are aligned already: none is looked for."""
        return False

    @property
    def aligned_as(self) -> str:
        """The kind of crop that faces are which are aligned already (`avsieve.storage.crops.CROPS`)."""
        return ALIGNED

    @property
    def has_test_set(self) -> bool:
        """Whether it has people of its own for the trials."""
        return any(value for key, value in self.settings.model_dump().items() if key.startswith("test_"))

    def tables(self, modality: str, *, only_test: bool = False) -> list[str]:
        """Return its tables of embeddings of a modality, for the list and for the trials."""
        return []

    def sequence_tables(self, modality: str) -> dict[str, list[str]]:
        """Return its tables of segments or faces: name of a segmentation, or ``frames`` -> tables."""
        return {}

    def table_settings(self) -> dict[str, Any]:
        """Return how these tables are read, by the options of `split_embeddings.py`."""
        return {}

    # Where things lie.

    def roots(self, made: str) -> dict[str, str | None]:
        """Return the folders that the paths of the media index start from, by the flags of `extract_media.py`.

        Parameters
        ----------
        made
            The folder that clips lie in which the run renders.
        """
        return {"train_root": made} if self.fetching == "rendered" else {}

    @property
    def train_list(self) -> str | None:
        """The training list, where one is given."""
        path: str | None = getattr(self.settings, "train_list", None)
        return path

    @property
    def speaker_folders(self) -> str | None:
        """A folder that holds a folder of each training speaker, with one of each video below."""
        return None

    @property
    def store(self) -> str | None:
        """The folder that downloads are kept in."""
        return None

    def patterns(self) -> list[str]:
        """Return the patterns of all archives."""
        return [pattern for key in self.archives for pattern in getattr(self.settings, key)]

    def named_now(self) -> list[str] | None:
        """Return the folders whose names make the plan as the settings are; None where names never do."""
        train, test = self.named_folders
        if not train and not test:
            return None
        listed = any(getattr(self.settings, key) is not None for key in self.lists)
        return self.given([*(() if listed else train), *test])

    # What the settings alone tell, before anything is looked at.

    @property
    def speakers(self) -> int | None:
        """How many speakers there are, those of the test included."""
        return None

    @property
    def test_utterances(self) -> int:
        """How many utterances there are of other people, for the trials."""
        return 0

    def training_utterances(self) -> list[str] | None:
        """Return the utterances of the training part."""
        return None


def folder_roots(
    settings: Block, train: str, test: str, train_audio: str | None = None, test_audio: str | None = None
) -> dict[str, str | None]:
    """Return `SourceContract.roots` of settings that name these folders; those that are not given are left out.

    Parameters
    ----------
    settings
        Of the source.
    train, test, train_audio, test_audio
        Keys of the folders of clips, and of sound where it lies apart.
    """
    keys = {"train_root": train, "test_root": test, "train_audio_root": train_audio, "test_audio_root": test_audio}
    values = {flag: None if key is None else getattr(settings, key) for flag, key in keys.items()}
    return {flag: value for flag, value in values.items() if value is not None}

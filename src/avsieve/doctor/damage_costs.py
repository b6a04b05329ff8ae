"""What damaged trials and twins cost: the versions that are made and embedded, and the trials that are scored besides.

Seconds of a core are user time of `avsieve.damage` with one thread, on 2 cores of an AMD EPYC: voices of 7.8 s, and
aligned faces of synthetic people.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from avsieve.doctor.trial_size import TrialSize
from avsieve.evaluation.conditions.contract import ENROL, TEST, Condition, ConditionPart
from avsieve.evaluation.conditions.registry import KINDS

if TYPE_CHECKING:
    from avsieve.config.model import Config
    from avsieve.evaluation.conditions.settings import Damage

# A second of a damaged voice, by the kind of damage; noise by its sound. A recording is read whole before it is cut.
VOICE_S = {"noise": 1e-3, "clipping": 1e-4, "short": 2e-5, "reverberation": 6e-4}
VOICE_REST_S = 5e-5  # read and written
# A damaged face: decoded, damaged, written as PNG; the kinds differ by less than a fifth.
FACE_S = 9e-4
FACE_BYTES = 16_000  # 112 px, PNG
# A row of the table of damages.
ROW_S = 2e-5


@dataclass
class Damaged:
    """Damaged versions of a run, as far as signals are damaged, and what they are made of."""

    conditions: int = 0
    rows: float = 0.0
    """Of the table of damages: those too that need no signal."""
    voices: float = 0.0
    voice_s: float = 0.0
    """Seconds of these voices."""
    of_faces: float = 0.0
    """Versions of the faces of an utterance."""
    faces: float = 0.0
    core_s: float = 0.0
    """Seconds of a core to make them."""
    trials: float = 0.0
    """Trials of all strata together."""


def damaged(config: Config, size: TrialSize, *, mean_s: float, mean_faces: float) -> Damaged:
    """Count what the conditions of a run damage.

    Parameters
    ----------
    size
        Of the trials.
    mean_s, mean_faces
        Seconds of an utterance, and its faces.
    """
    damage = config.evaluation.damage
    found = _versions(config, damage, size.on, mean_s, mean_faces)
    found.trials = sum(size.trials * share_of_trials(condition) for condition in damage.chosen)
    return found


def twins(config: Config, utterances: float, *, mean_s: float, mean_faces: float) -> Damaged:
    """Count the damaged twins of a run, which has so many training ``utterances``; see `damaged`."""
    have = min(utterances, config.fusion.twins.utterances)
    return _versions(config, config.fusion.twins, lambda _: have, mean_s, mean_faces)


def _versions(config: Config, damage: Damage, on: Callable[[str], float], mean_s: float, mean_faces: float) -> Damaged:
    """Count the versions of conditions; ``on`` tells how many utterances a side has."""
    from avsieve.wiring.damage import level_of

    signals = level_of(config, damage) == "signal"
    conditions = damage.chosen
    found = Damaged(len(conditions))
    for part in _parts(conditions):
        versions = part.share * on(part.side)
        found.rows += versions
        if not signals or not KINDS[part.kind].signals:
            continue
        if part.modality == "audio":
            seconds = versions * (min(mean_s, _mean(part.parameters["seconds"])) if part.kind == "short" else mean_s)
            found.voices += versions
            found.voice_s += seconds
            found.core_s += seconds * (VOICE_S.get(part.kind, max(VOICE_S.values())) + VOICE_REST_S)
        elif "visual" in config.source.contract.modalities:
            faces = versions * (min(1.0, mean_faces) if part.kind == "one_frame" else mean_faces)
            found.of_faces += versions
            found.faces += faces
            found.core_s += faces * FACE_S
    return found


def _parts(conditions: list[Condition]) -> Iterator[ConditionPart]:
    for condition in conditions:
        yield from condition.parts


def share_of_trials(condition: Condition) -> float:
    """Return the share of the trials with a damaged side, as if sides were drawn independently of each other."""
    untouched = 1.0
    for side in (ENROL, TEST):
        shares = [part.share for part in condition.parts if side in part.sides]
        if condition.exclusive:
            untouched *= max(0.0, 1 - sum(shares))
        else:
            for share in shares:
                untouched *= 1 - share
    return 1 - untouched


def _mean(value: Any) -> float:
    return sum(value) / len(value) if isinstance(value, list) else float(value)

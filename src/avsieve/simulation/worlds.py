"""A family of nasty worlds: what real corpora do to the cleansing of labels, one thing at a time.

`simulate` with its defaults makes a friendly world. Here are others by name, each with what makes it hard, where that
occurs in real corpora, and how much of it is wrong. Their strengths are set by what is known of such corpora, not by
what a method makes of them.

What they are like in real corpora:

``anisotropic``
    Pose, light and blur move a face embedding, loudness and channel a voice embedding, in few directions and far.
``hard-videos``
    Profile views, old recordings, telephone quality, make-up: the right person, hard to know for a whole video.
``domains``
    A person speaks two languages, or was filmed thirty years apart.
``hubs``
    Blurred faces and noisy voices come out alike, near to everybody's; some people are near to everybody too.
``halves``
    Two people of the same name, collected under one label.
``interviewer``, ``host``
    A talk show's host is in many videos of a guest; the host of a show is in the videos of many guests.
``mixed-voices``
    Two people talk at once, or the detector of the active speaker took a listener for the one who speaks.
``reuploads``
    A video stands on the platform several times, cut or compressed anew.
``two-videos``, ``one-video``
    Corpora of talks or of films have few videos a person. Of a video that is all wrong nothing can be known where it
    is the only one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from avsieve.registry import Registry
from avsieve.simulation.settings import NoiseSpec, WorldSpec

if TYPE_CHECKING:
    from avsieve.simulation.corpus import SimulatedCorpus


@dataclass(frozen=True)
class World:
    """A world of the family.

    Attributes
    ----------
    description
        One line: what makes it hard.
    wrong
        Share of utterances that are wrong, as it comes out; `NoiseSpec.rate` has not all of it.
    sizes, noise
        What `simulate` takes.
    """

    description: str
    wrong: float
    sizes: WorldSpec
    noise: NoiseSpec

    def simulate(self, seed: int = 0) -> SimulatedCorpus:
        """Make a corpus of it; equal seeds give equal bytes."""
        from avsieve.simulation.corpus import simulate  # numpy and pandas, which `avsieve --help` does without

        return simulate(self.sizes, self.noise, seed)


# Some 10,000 utterances: 160 speakers with 12 videos of 5.
SIZES = WorldSpec(speakers=160, outsiders=80)
TENTH = NoiseSpec(rate=0.1)
NOTHING = NoiseSpec(rate=0.0)


def _encoders(sizes: WorldSpec = SIZES, **options: Any) -> WorldSpec:
    """Return ``sizes`` with options of both modalities."""
    return replace(sizes, audio=replace(sizes.audio, **options), visual=replace(sizes.visual, **options))


def _few(speakers: int) -> WorldSpec:
    """Return sizes with few speakers, who have more videos each, and as many strangers as a small corpus has."""
    return WorldSpec(speakers=speakers, outsiders=50, videos_per_speaker=24, equal_videos=True)


# What the few directions add comes on top of what varies in the plain world. Identity against the rest of the variance
# is 0.40 / sqrt(0.25 (1 - 0.40^2)) = 0.87 here, and 0.64 / sqrt(1 - 0.64^2) = 0.83 there.
ANISOTROPIC = _encoders(direction_share=0.75, clean_similarity=0.4, clean_spread=0.1)
HARD = replace(SIZES, hard_share=0.12)
DOMAINS = _encoders(replace(SIZES, domains=2), domain=0.15, domain_own=0.2)
HUBS = _encoders(hub_share=0.1)

WORLDS: Registry[World] = Registry(
    "world",
    {
        "plain": World("well-behaved encoders; a tenth is wrong", 0.1, SIZES, TENTH),
        "clean": World("well-behaved encoders; nothing is wrong", 0.0, SIZES, NOTHING),
        "rate-0.5": World("well-behaved encoders; half a percent is wrong", 0.005, SIZES, NoiseSpec(rate=0.005)),
        "rate-1": World("well-behaved encoders; 1 % is wrong", 0.01, SIZES, NoiseSpec(rate=0.01)),
        "rate-2": World("well-behaved encoders; 2 % are wrong", 0.02, SIZES, NoiseSpec(rate=0.02)),
        "rate-20": World("well-behaved encoders; a fifth is wrong", 0.2, SIZES, NoiseSpec(rate=0.2)),
        "rate-50": World("well-behaved encoders; half is wrong", 0.5, SIZES, NoiseSpec(rate=0.5)),
        "anisotropic": World("six directions carry most of what varies within people", 0.1, ANISOTROPIC, TENTH),
        "hard-videos": World("an eighth of the videos is hard to know, with right labels", 0.1, HARD, TENTH),
        "hard-videos-clean": World("an eighth of the videos is hard to know; nothing is wrong", 0.0, HARD, NOTHING),
        "anisotropic-hard": World(
            "few directions, and an eighth of the videos hard to know",
            0.1,
            replace(ANISOTROPIC, hard_share=0.12),
            TENTH,
        ),
        "domains": World("everybody in two languages, or years apart", 0.1, DOMAINS, TENTH),
        "domains-clean": World("everybody in two languages, or years apart; nothing is wrong", 0.0, DOMAINS, NOTHING),
        "hubs": World("a tenth of utterances and of people lies near to everybody", 0.1, HUBS, TENTH),
        "weak-encoders": World("encoders that hardly know people again", 0.1, _encoders(clean_similarity=0.45), TENTH),
        "weak-voice": World(
            "an encoder of voices that hardly knows people again",
            0.1,
            replace(SIZES, audio=replace(SIZES.audio, clean_similarity=0.4)),
            TENTH,
        ),
        "halves": World(
            "a tenth of the labels is two people, half and half", 0.094, SIZES, NoiseSpec(rate=0.05, halves=0.1)
        ),
        "interviewer": World(
            "the same stranger in many videos of a speaker",
            0.1,
            SIZES,
            NoiseSpec(
                rate=0.1, whole_video=0.2, audio_only=0.2, outside=0.8, similar=0.0, evenness=1.0, interviewed=0.8
            ),
        ),
        "host": World("one host in 5 % of all videos", 0.098, SIZES, NoiseSpec(rate=0.05, host=0.05)),
        "mixed-voices": World(
            "clips in which two people talk at once",
            0.1,
            SIZES,
            NoiseSpec(rate=0.1, whole_video=0.25, audio_only=0.5, visual_only=0.1, mixed=0.8),
        ),
        "reuploads": World(
            "wrong videos, and a few right ones, are uploaded three times",
            0.11,
            SIZES,
            NoiseSpec(rate=0.06, copies=3, right_copied=0.02),
        ),
        "two-videos": World(
            "two videos a speaker",
            0.1,
            replace(SIZES, speakers=1000, outsiders=500, videos_per_speaker=2, equal_videos=True, one_video_share=0.0),
            TENTH,
        ),
        "one-video": World(
            "one video a speaker",
            0.1,
            replace(SIZES, speakers=1000, outsiders=500, utterances_per_video=9, one_video_share=1.0),
            TENTH,
        ),
        "speakers-5": World("five speakers", 0.1, _few(5), TENTH),
        "speakers-10": World("ten speakers", 0.1, _few(10), TENTH),
        "speakers-20": World("twenty speakers", 0.1, _few(20), TENTH),
    },
)

"""What a simulated corpus is like: its sizes, how the encoders behave, and what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from avsieve.settings import Block, Positive, Share, key


class NoiseSpec(Block):
    """How much of the corpus is mislabelled, and how.

    What is wrong neither with its whole video nor by voice or face alone are single utterances wrong in both.
    """

    rate: float = key(0.05, "Share of utterances that are mislabelled.", ge=0, lt=1)
    whole_video: Share = key(0.5, "Share of the wrong that are whole videos.")
    audio_only: Share = key(0.15, "Share of the wrong where only the voice is.")
    visual_only: Share = key(0.15, "Share of the wrong where only the face is.")
    outside: Share = key(0.4, "Share of wrong people who are nobody's label.")
    similar: Share = key(0.2, "Share of wrong people drawn among the label's lookalikes, as a face tracker errs.")
    evenness: Positive = key(2.0, "Evenness of the speakers' rates (concentration of a Beta distribution).")
    mixed: Share = key(0.0, "Share of the clips wrong by voice alone whose voice mixes the speaker's with another's.")
    interviewed: Share = key(0.0, "Share of speakers whose wrong utterances are all one other person's.")
    host: Share = key(0.0, "Share of all videos that show one host, beside `rate`.")
    halves: Share = key(0.0, "Share of labels half of whose videos are one other person's, beside `rate`.")
    copies: int = key(1, "How often a wrong video is in the corpus, as near duplicates under other names.", ge=1)
    right_copied: Share = key(0.0, "Share of right videos that are in the corpus as often.")


@dataclass(frozen=True)
class ModalitySpec:
    """How one modality's encoder behaves; similarities are cosines.

    The defaults follow what pretrained encoders do on VoxCeleb2: a clean utterance lies at 0.62 +- 0.13 from its
    speaker's centre, a wrong one at 0.07 with a long tail from similar people.

    What the last five options bring is off by default. Shares are squared lengths.

    Attributes
    ----------
    directions, direction_share
        A number of directions, and the share of what varies within people that lies in them: pose and light of a
        face, channel and loudness of a voice.
    domain, domain_own
        Share of an identity that is the domain's (language, decade), alike for all people, and share that is the
        person's own in that domain.
    hub_share, hub_pull
        Share of utterances, and as large a share of people, drawn to a few points near to everybody, and how much of
        them is drawn there.
    """

    dim: int
    effective_dim: int = 90
    clean_similarity: float = 0.64
    clean_spread: float = 0.13
    common: float = 0.05
    sex: float = 0.10
    family: float = 0.45
    family_share: float = 0.5
    channel: float = 0.25
    speaker_spread: float = 0.05
    video_spread: float = 0.06
    directions: int = 6
    direction_share: float = 0.0
    domain: float = 0.0
    domain_own: float = 0.0
    hub_share: float = 0.0
    hub_pull: float = 0.35


@dataclass(frozen=True)
class WorldSpec:
    """Sizes of the world; the defaults are VoxCeleb2's proportions on a smaller number of speakers.

    Attributes
    ----------
    equal_videos
        Whether everybody has the same number of videos.
    hard_share, hard_quality
        Share of videos in which voice, face or both are hard to know (each as often), and what is left of the
        quality of their utterances there, as a factor.
    domains
        Domains that everybody's videos are divided among.
    """

    speakers: int = 400
    outsiders: int = 200
    videos_per_speaker: float = 12.0
    utterances_per_video: float = 5.0
    one_video_share: float = 0.02
    family_size: int = 6
    equal_videos: bool = False
    hard_share: float = 0.0
    hard_quality: float = 0.45
    domains: int = 1
    audio: ModalitySpec = field(default_factory=lambda: ModalitySpec(dim=192))
    visual: ModalitySpec = field(default_factory=lambda: ModalitySpec(dim=512))

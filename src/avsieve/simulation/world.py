"""Who there is: identities with lookalikes and soundalikes, and how a network sees them.

An embedding of a person in one modality is modelled as

    e = unit(q z + sqrt(1 - q^2) (sqrt(c) u + sqrt(1 - c) n))

with the identity ``z`` (unit length), the channel ``u`` of the video (microphone and room, or light and pose), noise
``n`` of the utterance, the channel's share ``c`` and the utterance's quality ``q``. Identities mix a direction that
everybody shares (pretrained encoders leave impostors at a cosine of about 0.07, not 0), the direction of their sex,
that of a family of similar people, and their own. A lookalike of one person need not sound like them.
"""

from __future__ import annotations

import numpy as np

from avsieve.simulation.settings import ModalitySpec

Array = np.ndarray


class Identities:
    """Identity vectors of one modality for all people, the first ``speakers`` of them inside the set."""

    def __init__(self, spec: ModalitySpec, people: int, family_size: int, sex: Array, rng: np.random.Generator) -> None:
        self.spec = spec
        # A decaying spectrum: networks use far fewer directions than they have dimensions.
        scale = np.exp(-0.5 * np.arange(spec.dim) / spec.effective_dim * 2)
        self.scale = scale / np.sqrt((scale**2).mean())
        common = self._directions(1, rng)
        sexes = self._directions(2, rng)[sex]
        families = self._directions(max(1, people // family_size), rng)
        family = rng.integers(len(families), size=people)
        share = np.where(rng.random(people) < spec.family_share, spec.family * rng.uniform(0.3, 1.0, people), 0.0)
        left = 1 - spec.common - spec.sex - share
        z = np.sqrt(spec.common) * common + np.sqrt(spec.sex) * sexes
        z = z + np.sqrt(share)[:, None] * families[family] + np.sqrt(left)[:, None] * self._directions(people, rng)
        self.vectors = unit(z)
        self.quality = spec.clean_similarity + spec.speaker_spread * rng.standard_normal(people)

    def _directions(self, count: int, rng: np.random.Generator) -> Array:
        return unit(rng.standard_normal((count, self.spec.dim)) * self.scale)

    def observe(
        self, person: Array, channel: Array, quality_shift: Array, rng: np.random.Generator
    ) -> tuple[Array, Array]:
        """Return embeddings (n, dim) float32 and the quality (n,) of utterances of ``person`` (n,).

        ``channel`` (n, dim) and ``quality_shift`` (n,) belong to the videos.
        """
        spec = self.spec
        noise = self._directions(len(person), rng)
        within = np.sqrt(max(spec.clean_spread**2 - spec.speaker_spread**2 - spec.video_spread**2, 0.0))
        # Quality has its tail on the bad side: a mirrored gamma.
        tail = (4.0 - rng.gamma(4.0, size=len(person))) / 2.0
        q = np.clip(self.quality[person] + quality_shift + within * tail, 0.02, 0.93)
        rest = np.sqrt(spec.channel) * channel + np.sqrt(1 - spec.channel) * noise
        e = q[:, None] * self.vectors[person] + np.sqrt(1 - q**2)[:, None] * rest
        return unit(e).astype(np.float32), q

    def channels(self, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return ``count`` channels (count, dim) and their shifts of quality (count,)."""
        return self._directions(count, rng), self.spec.video_spread * rng.standard_normal(count)


def unit(x: Array) -> Array:
    """Return the rows of ``x`` at length 1; zero rows stay zero."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x))
    return x / np.where(length > 0, length, 1.0)[:, None]

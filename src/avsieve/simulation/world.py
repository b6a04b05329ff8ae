"""Who there is: identities with lookalikes and soundalikes, and how a network sees them.

An embedding of a person in one modality is modelled as

    e = unit(q z + sqrt(1 - q^2) (sqrt(c) u + sqrt(1 - c) n))

with the identity ``z`` (unit length), the channel ``u`` of the video (microphone and room, or light and pose), noise
``n`` of the utterance, the channel's share ``c`` and the utterance's quality ``q``. Identities mix a direction that
everybody shares (pretrained encoders leave impostors at a cosine of about 0.07, not 0), the direction of their sex,
that of a family of similar people, and their own. A lookalike of one person need not sound like them.

Options of `ModalitySpec` make it nastier: ``u`` and ``n`` may lie mostly in a few directions, ``z`` may differ between
domains, and some utterances and people may be drawn to hubs. What they draw at random comes from generators of their
own, so that they change nothing where they are off.
"""

from __future__ import annotations

import numpy as np

from avsieve.simulation.settings import ModalitySpec

Array = np.ndarray

# Few enough that each hub is near to many.
HUBS = 3


class Identities:
    """Identity vectors of one modality for all people, the first ``speakers`` of them inside the set."""

    def __init__(
        self,
        spec: ModalitySpec,
        people: int,
        family_size: int,
        sex: Array,
        rng: np.random.Generator,
        domains: int = 1,
    ) -> None:
        self.spec = spec
        options = rng.spawn(1)[0]
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
        self.varying = np.linalg.qr(self._directions(spec.directions, options).T)[0].T
        self.hubs = unit(common + self._directions(HUBS, options))
        drawn = options.random(people) < spec.hub_share
        self.vectors[drawn] = self._drawn(self.vectors[drawn], options)
        self.domains = self._in_domains(domains, options)

    def _directions(self, count: int, rng: np.random.Generator) -> Array:
        return unit(rng.standard_normal((count, self.spec.dim)) * self.scale)

    def _in_domains(self, count: int, rng: np.random.Generator) -> Array:
        """Return the identities in each domain, (count, people, dim)."""
        spec = self.spec
        if not spec.domain + spec.domain_own:
            return np.broadcast_to(self.vectors, (count, *self.vectors.shape))
        shared = self._directions(count, rng)[:, None]
        own = np.stack([self._directions(len(self.vectors), rng) for _ in range(count)])
        left = np.sqrt(1 - spec.domain - spec.domain_own) * self.vectors
        z = left + np.sqrt(spec.domain) * shared + np.sqrt(spec.domain_own) * own
        return z / np.linalg.norm(z, axis=2, keepdims=True)

    def _drawn(self, x: Array, rng: np.random.Generator) -> Array:
        """Return rows (n, dim) of length 1, drawn to a hub each."""
        pull = self.spec.hub_pull
        return unit(np.sqrt(1 - pull) * x + np.sqrt(pull) * self.hubs[rng.integers(HUBS, size=len(x))])

    def _variation(self, count: int, rng: np.random.Generator) -> Array:
        """Return what varies within people, (count, dim) of length 1."""
        share, everywhere = self.spec.direction_share, self._directions(count, rng)
        if not share:
            return everywhere
        few = rng.standard_normal((count, len(self.varying))) / np.sqrt(len(self.varying))
        return unit(np.sqrt(1 - share) * everywhere + np.sqrt(share) * few @ self.varying)

    def observe(
        self,
        person: Array,
        channel: Array,
        quality_shift: Array,
        rng: np.random.Generator,
        *,
        factor: Array | float = 1.0,
        domain: Array | int = 0,
    ) -> tuple[Array, Array]:
        """Return embeddings (n, dim) float32 and the quality (n,) of utterances of ``person`` (n,).

        ``channel`` (n, dim), ``quality_shift`` (n,), the ``factor`` (n,) of the quality and the ``domain`` (n,) belong
        to the videos.
        """
        spec = self.spec
        options = rng.spawn(1)[0]
        noise = self._variation(len(person), rng)
        within = np.sqrt(max(spec.clean_spread**2 - spec.speaker_spread**2 - spec.video_spread**2, 0.0))
        # Quality has its tail on the bad side: a mirrored gamma.
        tail = (4.0 - rng.gamma(4.0, size=len(person))) / 2.0
        q = np.clip(self.quality[person] + quality_shift + within * tail, 0.02, 0.93) * factor
        rest = np.sqrt(spec.channel) * channel + np.sqrt(1 - spec.channel) * noise
        e = unit(q[:, None] * self.domains[domain, person] + np.sqrt(1 - q**2)[:, None] * rest)
        drawn = options.random(len(e)) < spec.hub_share
        e[drawn] = self._drawn(e[drawn], options)
        return e.astype(np.float32), q

    def channels(self, count: int, rng: np.random.Generator) -> tuple[Array, Array]:
        """Return ``count`` channels (count, dim) and their shifts of quality (count,)."""
        return self._variation(count, rng), self.spec.video_spread * rng.standard_normal(count)


def unit(x: Array) -> Array:
    """Return the rows of ``x`` at length 1; zero rows stay zero."""
    length = np.sqrt(np.einsum("ij,ij->i", x, x))
    return x / np.where(length > 0, length, 1.0)[:, None]

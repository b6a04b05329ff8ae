"""What trained fusion models share: standardised inputs, missing modalities, encoding in batches."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from avsieve.errors import ModelError
from avsieve.evaluation.scoring import Part
from avsieve.fusion.discriminant import discriminant_directions, evenly
from avsieve.fusion.encoding import bounded_batches, distinct_rows
from avsieve.fusion.inputs import Inputs, Stream
from avsieve.fusion.published_layout import PublishedLayout
from avsieve.fusion.sequences import Reading
from avsieve.fusion.stream_batch import StreamBatch
from avsieve.fusion.two_streams import TwoStreams

if TYPE_CHECKING:
    from avsieve.fusion.twins import Twins


class Standardise(nn.Module):
    """Take the training mean from the unit vectors and bring them to one length; zeros where absent.

    Centring and length normalisation as before PLDA (Garcia-Romero and Espy-Wilson, Interspeech 2011). Both modalities
    get the same length, whatever their dimension: the concatenation of the two weighs them alike. The mean is part of
    the model: what training saw and what scoring sees cannot differ.

    Parameters
    ----------
    dim
        Length of the embeddings.
    length
        Norm of what it returns.
    centred
        Whether a mean is learned; without one the unit vectors only get their length.
    """

    mean: Tensor

    def __init__(self, dim: int, length: float, *, centred: bool = True) -> None:
        super().__init__()
        self.length = length
        self.centred = centred
        self.register_buffer("mean", torch.zeros(dim))

    def fit(self, stream: Stream) -> None:
        """Learn the mean from the present rows, an even choice of at most `START_ROWS`."""
        if not self.centred:
            return
        unit = Part.of(stream.pooled[evenly(stream.present)]).vectors
        if len(unit):
            self.mean.copy_(torch.from_numpy(unit.mean(axis=0, dtype=np.float64)))

    def forward(self, batch: StreamBatch) -> StreamBatch:
        """Return the batch with its pooled embeddings and its sequence standardised, float32."""
        pooled = self._standard(batch.pooled) * batch.present[:, None]
        if batch.sequence is None or batch.mask is None:
            return replace(batch, pooled=pooled)
        return replace(batch, pooled=pooled, sequence=self._standard(batch.sequence) * batch.mask[..., None])

    def _standard(self, vectors: Tensor) -> Tensor:
        return F.normalize(F.normalize(vectors.float(), dim=-1) - self.mean, dim=-1) * self.length


class NeuralFusion(TwoStreams, ABC):
    """A network from both modalities to one embedding.

    Subclasses give `name` and `fuse`, `start_at_data` where their first weights come from the data, and `augment` where
    training sees other embeddings than scoring.

    Parameters
    ----------
    audio_dim, visual_dim
        Length of the embeddings.
    dim
        Length of the fused embedding.

    Attributes
    ----------
    name
        That of its model, for messages.
    centred
        Whether the training mean is taken from the embeddings and both get entries of about 1 (`Standardise`). If not,
        the network sees vectors of length 1, as most published heads do.
    rows_at_once
        How many utterances are encoded at a time, at most: fewer where their sequences are long (`bounded_batches`).
    from_data
        Whether training starts at weights and class centres that come from the data. If not, they are random, of the
        training's seed.
    published
        How a file of weights that its authors published names its tensors (`avsieve.fusion.start`).
    """

    centred: ClassVar[bool] = True
    from_data: ClassVar[bool] = True
    published: ClassVar[PublishedLayout] = PublishedLayout()
    rows_at_once: ClassVar[int] = 4096

    @property
    def readings(self) -> Mapping[str, Reading]:
        """What the network reads of the sequences: modality -> reading. Nothing, where pooled embeddings suffice."""
        return {}

    def __init__(self, audio_dim: int, visual_dim: int, dim: int) -> None:
        super().__init__(audio_dim, visual_dim, dim)
        length = math.sqrt((audio_dim + visual_dim) / 2) if self.centred else 1.0  # entries of about 1
        self.audio_standard = Standardise(audio_dim, length, centred=self.centred)
        self.visual_standard = Standardise(visual_dim, length, centred=self.centred)

    @abstractmethod
    def fuse(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return (B, dim) from standardised batches of both modalities; embeddings are zero where absent."""

    def start(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Fit the standardisation and set the first weights, from the data or from torch's generator.

        Parameters
        ----------
        inputs
            The training utterances.
        labels
            (U,) int64, the class of each.
        """
        self.audio_standard.fit(inputs.audio)
        self.visual_standard.fit(inputs.visual)
        if self.from_data:
            self.start_at_data(inputs, labels)
        else:
            self.draw()

    def learn_damage(self, inputs: Inputs, twins: Twins) -> None:
        """Learn before the start what damage does to embeddings, from twins of ``inputs``; by default nothing."""

    def start_at_data(self, inputs: Inputs, labels: np.ndarray) -> None:
        """Set the first weights from the training utterances; by default they stay as they are."""

    def draw(self) -> None:
        """Draw the first weights from torch's generator, whatever they were: the seed of the training decides."""
        for module in self.modules():
            if callable(reset := getattr(module, "reset_parameters", None)):
                reset()

    def first_projection(self, inputs: Inputs, labels: np.ndarray, size: float) -> np.ndarray:
        """Return (dim, Da + Dv) float32: the discriminant directions of the training data (`discriminant_directions`).

        What it projects to has a root mean square of ``size``. Rows with both modalities decide, an even choice of at
        most `START_ROWS`.
        """
        rows = evenly(inputs.audio.present & inputs.visual.present)
        device = torch.device("cpu")
        with torch.no_grad():
            standardised = [
                standard(StreamBatch.of(stream, rows, device)).pooled
                for standard, stream in ((self.audio_standard, inputs.audio), (self.visual_standard, inputs.visual))
            ]
        data = torch.cat(standardised, dim=1).numpy().astype(np.float64)
        if len(data) < 2:
            raise ModelError(
                f"{self.name}: {len(data)} training utterances have both modalities; it needs some to fuse"
            )
        directions = discriminant_directions(data, labels[rows], self.dim)
        return (directions * (size / (float((data @ directions.T).std()) or 1.0))).astype(np.float32)

    def forward(self, audio: StreamBatch, visual: StreamBatch) -> Tensor:
        """Return the fused embeddings (B, dim), not normalised; in training of augmented embeddings."""
        audio, visual = self.audio_standard(audio), self.visual_standard(visual)
        return self.fuse(*(self.augment(audio, visual) if self.training else (audio, visual)))

    def augment(self, audio: StreamBatch, visual: StreamBatch) -> tuple[StreamBatch, StreamBatch]:
        """Return what training sees instead of standardised batches, drawn from torch's generator; by default these."""
        return audio, visual

    def gather(
        self, inputs: Inputs, audio: np.ndarray, visual: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[StreamBatch, StreamBatch]:
        """Return the voices of the rows ``audio`` (B,) and the faces of ``visual``, with what the network reads.

        They are on the CPU, and nothing of the network is touched: a thread may read ahead of its training.
        """
        readings, device = self.readings, torch.device("cpu")
        return (
            StreamBatch.of(inputs.audio, audio, device, readings.get("audio"), rng),
            StreamBatch.of(inputs.visual, visual, device, readings.get("visual"), rng),
        )

    def batch(
        self, inputs: Inputs, audio: np.ndarray, visual: np.ndarray, rng: np.random.Generator | None = None
    ) -> tuple[StreamBatch, StreamBatch]:
        """Return what `gather` does, on the device of the network."""
        device = self.audio_standard.mean.device
        voices, faces = self.gather(inputs, audio, visual, rng)
        return voices.to(device), faces.to(device)

    def check_readings(self, inputs: Inputs) -> None:
        """Refuse inputs without the sequences that the network reads.

        Raises
        ------
        ModelError
            Telling which.
        """
        for modality, reading in self.readings.items():
            there = inputs.streams[modality].sequences
            if reading.sequence not in there:
                source = "audio.segments" if modality == "audio" else "the embeddings of faces"
                raise ModelError(
                    f"{self.name} reads the sequence {reading.sequence} of {modality}, found "
                    f"{', '.join(there) or 'none'}; add it to {source}, or leave this model out"
                )

    @torch.inference_mode()
    def encode(self, inputs: Inputs, batch_size: int | None = None) -> list[Part]:
        """Return the fused embeddings; absent where neither modality is there.

        Utterances that are alike in both modalities are encoded once and get the same embedding to the bit: a row's
        rounding may depend on its place in a batch, and would break ties between trials.

        Raises
        ------
        ModelError
            If the embeddings are of other lengths than those of the training, or the sequences that the network reads
            are not there.
        """
        self.check(inputs)
        self.check_readings(inputs)
        was_training = self.training
        self.eval()
        chosen, place = distinct_rows(inputs, self.readings)
        out = np.zeros((len(chosen), self.dim), dtype=np.float32)
        for places in bounded_batches(inputs, self.readings, chosen, batch_size or self.rows_at_once):
            fused = self(*self.batch(inputs, chosen[places], chosen[places]))
            out[places] = fused.float().cpu().numpy()
        self.train(was_training)
        out = out if len(chosen) == len(inputs) else out[place]
        return [Part.of(out, inputs.audio.present | inputs.visual.present)]

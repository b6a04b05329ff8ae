"""RJCA as the registry knows it; the network is in `avsieve.fusion.rjca_network`.

Praveen and Alam, "Audio-visual person verification based on recursive fusion of joint cross-attention", FG 2024, code
at github.com/praveena2j/RJCAforSpeakerVerification: eight parts of the voice and eight faces of an utterance attend to
each other. It is trained as there: unit vectors, Xavier's first weights, AAM-softmax with its whole margin from the
first step on, Adam, one factor on the learning rate per epoch. Our choices: 15 epochs, after which the rate is below
3e-6, where the source goes on to 100; batches of nearly equal size; the last epoch counts. Training draws one face of
each eighth of an utterance, and scoring takes the middle one, where the source draws in scoring, too; the parts of a
voice have a fixed place (segmentation `eighths`), where the source draws it. A training may begin at the published
weights, or stay at them (`weights`, `train`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.fusion import recipe
from avsieve.fusion.base import NeuralModel
from avsieve.fusion.reported import Reported
from avsieve.settings import key
from avsieve.storage.sequence_names import EIGHTHS, FRAMES

if TYPE_CHECKING:
    from avsieve.fusion.rjca_network import Rjca


class RjcaSettings(recipe.StartSettings):
    """Settings of RJCA: its recipe."""

    length: recipe.Length = 512
    loss: recipe.LossSum = "aam"
    optimiser: recipe.OptimiserName = "adam"
    learning_rate: recipe.LearningRate = 1e-3
    schedule: recipe.ScheduleName = "exponential"
    decay: recipe.Decay = 0.65
    epochs: recipe.Epochs = 15
    batch_size: recipe.BatchSize = 100
    weight_decay: recipe.WeightDecay = 2e-5
    l2_sp: recipe.L2SP = 0.0
    margin: recipe.MarginSize = 0.4
    margin_rises: recipe.MarginRises = False
    scale: recipe.Scale = 64.0
    drop_modality: recipe.DropModality = 0.0
    parts: int = key(8, "Number of parts of the voice, and of faces, that are read; the voice has eight.", ge=1, le=8)
    depth: int = key(
        2, "Number of blocks of joint cross-attention, each with weights of its own; the source has 2.", ge=1, le=5
    )
    blstm: bool = key(True, "Whether a BLSTM passes over each modality before they attend to each other.")
    dropout: float = key(0.6, "Share of the attention, and of what it adds, that is dropped in training.", ge=0, lt=1)


class RjcaModel(NeuralModel[RjcaSettings]):
    """Parts of the voice and faces attend to each other, again and again."""

    name = "rjca"
    label = "joint cross-attention (RJCA)"
    settings = RjcaSettings
    sequences = (EIGHTHS, FRAMES)
    reported = (
        Reported(
            "EER 1.975 %, minDCF(0.05) 0.116",
            "Vox1-O, ECAPA-1024 and IResNet18, 1,150 speakers of VoxCeleb1-dev, random crops in "
            "scoring; as cited elsewhere",
            "Praveen and Alam, FG 2024",
        ),
    )

    @classmethod
    def build(cls, audio_dim: int, visual_dim: int, dim: int, own: RjcaSettings) -> Rjca:
        """Return a new network."""
        from avsieve.fusion.rjca_network import Rjca

        return Rjca(
            audio_dim,
            visual_dim,
            own.length or dim,
            parts=own.parts,
            depth=own.depth,
            blstm=own.blstm,
            dropout=own.dropout,
        )

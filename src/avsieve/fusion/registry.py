"""The fusion models, trained or not. A new one is a module with a `FusionModel`, and a line here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from avsieve.registry import Registry

if TYPE_CHECKING:
    from avsieve.fusion.base import FusionModel

MODELS: Registry[type[FusionModel]] = Registry(
    "fusion model",
    {
        "audio": "avsieve.fusion.baselines:AudioOnly",
        "visual": "avsieve.fusion.baselines:VisualOnly",
        "score_average": "avsieve.fusion.baselines:ScoreAverage",
        "concatenation": "avsieve.fusion.baselines:Concatenation",
        "score_weighted": "avsieve.fusion.calibrated:ScoreWeighted",
        "calibrated": "avsieve.fusion.calibrated:Calibrated",
        "calibrated_qmf": "avsieve.fusion.calibrated:CalibratedQmf",
        "evidence": "avsieve.fusion.evidence:Evidence",
        "gated": "avsieve.fusion.gated:Gated",
        "linear": "avsieve.fusion.linear:Linear",
        "mlp": "avsieve.fusion.vut:MlpModel",
        "vut_soft": "avsieve.fusion.vut:VutSoftModel",
        "vut_gated": "avsieve.fusion.vut:VutGatedModel",
        "vut_video_mean": "avsieve.fusion.vut_video:VutVideoMeanModel",
        "vut_video_scalar": "avsieve.fusion.vut_video:VutVideoScalarModel",
        "vut_video_fixed": "avsieve.fusion.vut_video:VutVideoFixedModel",
        "avn_e": "avsieve.fusion.avn:AvnEModel",
        "rjca": "avsieve.fusion.rjca:RjcaModel",
        "baffn_gated": "avsieve.fusion.baffn:BaffnGatedModel",
        "baffn_attention": "avsieve.fusion.baffn:BaffnAttentionModel",
        "baffn_concat": "avsieve.fusion.baffn:BaffnConcatModel",
        "speaker_face": "avsieve.joint.speaker_face:SpeakerFaceModel",
        "avn_f": "avsieve.joint.avn:AvnFModel",
        "avn_j": "avsieve.joint.avn:AvnJModel",
        "vut_joint_soft": "avsieve.joint.vut:VutJointSoftModel",
        "vut_joint_gated": "avsieve.joint.vut:VutJointGatedModel",
        "vut_lower": "avsieve.joint.vut:VutLowerModel",
        "vut_video_frames": "avsieve.joint.vut:VutFramesModel",
    },
)

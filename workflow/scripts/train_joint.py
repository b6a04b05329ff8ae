"""Train one joint model, both encoders and the fusion, on the signals of one list.

Beside the model lie the course of its training and its provenance. The same command after an interruption goes on
where it was, and ends with the same model.
"""

from __future__ import annotations

import json
from pathlib import Path

from avsieve.fusion.registry import MODELS
from avsieve.fusion.settings import Fusion
from avsieve.runtime.gpus import own_gpus
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.settings import filled

LEAVE = ["models", "seeds", "twins", "precision"]


def main() -> None:
    """Train."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list: speaker wav seconds")
    ap.add_argument("--list-name", required=True, help="what results call it: all or clean")
    ap.add_argument("--plan", type=Path, required=True, help="the plan; its held-out speakers are not trained on")
    ap.add_argument("--wav", type=Path, nargs="+", required=True, help="tars of wavs")
    ap.add_argument("--faces", type=Path, nargs="+", required=True, help="tars of aligned faces")
    names = [name for name, model in MODELS.items() if model.joint]
    ap.add_argument("--model", choices=names, required=True, help="joint model")
    ap.add_argument("--options", type=json.loads, required=True, help="settings that the model has of its own, JSON")
    add_settings(ap, Fusion, leave=LEAVE, required=True)
    ap.add_argument("--seed", type=int, required=True, help="seed of weights, order, crops and augmentation")
    ap.add_argument("--noise", type=Path, help="folder of noise at 16 kHz; made up if not given")
    ap.add_argument("--music", type=Path, help="folder of music at 16 kHz")
    ap.add_argument("--speech", type=Path, help="folder of speech at 16 kHz for babble; the list's unless given")
    ap.add_argument("--rooms", type=Path, help="folder of impulse responses at 16 kHz; made up if not given")
    ap.add_argument("--device", required=True, help="auto, cpu, cuda or cuda:N")
    ap.add_argument("--devices", type=int, required=True, help="processes on a machine, each with a GPU")
    ap.add_argument("--nodes", type=int, required=True, help="machines")
    ap.add_argument("--precision", required=True, choices=["fp32", "bf16", "fp16"], help="of the arithmetic")
    ap.add_argument("--workers", type=int, required=True, help="processes that prepare batches, for each that trains")
    ap.add_argument("--threads", type=int, required=True, help="CPU threads of torch")
    ap.add_argument("--out", type=Path, required=True, help="model to write (safetensors)")
    ap.add_argument("--tensorboard", type=Path, help="folder of TensorBoard's files")
    ap.add_argument("--checkpoint-every", type=int, help="steps between two states left behind")
    args = ap.parse_args()
    args.device = own_gpus(args.device, args.devices)

    # Only now: the arguments are read, and torch takes seconds to import.
    import torch

    from avsieve.encoders.device import pick_device
    from avsieve.joint.models import joint_model
    from avsieve.joint.settings import JointSettings
    from avsieve.joint.training import Work, train_joint
    from avsieve.training.devices import Machine

    kind = joint_model(args.model)
    own = filled(kind.settings, args.options, args.model)
    assert isinstance(own, JointSettings)
    torch.set_num_threads(args.threads)
    work = Work(
        args.list, args.list_name, args.plan, args.wav, args.faces, args.out, args.seed, args.workers,
        args.noise, args.music, args.speech, args.rooms,
    )  # fmt: skip
    machine = Machine(str(pick_device(args.device)), args.devices, args.nodes, precision=args.precision)
    done = train_joint(
        kind,
        own,
        settings_of(Fusion, args),
        work,
        machine=machine,
        checkpoint_every=args.checkpoint_every,
        board=args.tensorboard,
    )
    print(done)


if __name__ == "__main__":
    run(main)

from __future__ import annotations

import pytest
import torch
from lightning_fabric.plugins.environments import SLURMEnvironment

from avsieve.errors import ConfigError, ModelError
from avsieve.training.devices import Machine, _started_alone, gathered, layout_of, start


def test_one_process_on_the_cpu_is_the_whole_world() -> None:
    fabric = start(Machine("cpu"))
    assert (fabric.world_size, fabric.device.type, fabric.is_global_zero) == (1, "cpu", True)
    assert gathered(fabric, torch.tensor([1.0, 2.0])).tolist() == [[1.0, 2.0]]


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"precision": "fp8"}, "precision: 'fp8' is not known; expected fp32, bf16, fp16"),
        ({"strategy": "fsdp"}, "strategy: 'fsdp' is not known; expected auto, ddp"),
        ({"devices": 0}, "0 devices on 1 nodes; expected at least 1"),
    ],
)
def test_settings_that_are_not_known_are_refused(settings: dict, words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        Machine("cpu", **settings)


def test_an_absent_device_is_never_replaced() -> None:
    with pytest.raises(ModelError, match="not available"):
        start(Machine("cuda:7"))


def test_one_gpu_by_its_number_cannot_be_several(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(ConfigError, match="expected cuda: each has its own"):
        start(Machine("cuda:1", devices=2))
    with pytest.raises(ModelError, match="3 GPUs wanted, 2 found"):
        start(Machine("cuda", devices=3))


def test_under_slurm_the_tasks_are_the_processes_unless_there_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"SLURM_NTASKS": "4", "SLURM_JOB_NAME": "train"}.items():
        monkeypatch.setenv(name, value)
    assert SLURMEnvironment.detect()
    assert not _started_alone(Machine("cpu", devices=2, nodes=2))
    with pytest.raises(ConfigError, match=r"4 tasks .* expected 3: srun --nodes=1 --ntasks-per-node=3"):
        _started_alone(Machine("cpu", devices=3))
    monkeypatch.setenv("SLURM_NTASKS", "1")
    assert _started_alone(Machine("cpu", devices=2))
    with pytest.raises(ConfigError, match="1 tasks"):
        _started_alone(Machine("cpu", devices=2, nodes=2))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_a_gpu_trains_in_every_precision(precision: str) -> None:
    from .test_loop import Blobs, train

    _, rows = train(Blobs(), device="cuda", precision=precision)
    assert rows[-1][2] > 0.8  # type: ignore[operator]


@pytest.mark.parametrize(
    ("device", "dimensions", "layout"),
    [
        ("cuda", 4, torch.channels_last),
        ("cuda:1", 4, torch.channels_last),
        ("cuda", 2, torch.contiguous_format),  # waveforms
        ("cpu", 4, torch.contiguous_format),  # gains nothing, and would round differently
        ("cpu", 2, torch.contiguous_format),
    ],
)
def test_only_images_on_a_gpu_have_their_channels_last(
    device: str, dimensions: int, layout: torch.memory_format
) -> None:
    assert layout_of(torch.device(device), dimensions) == layout

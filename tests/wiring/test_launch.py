from __future__ import annotations

from avsieve.config.model import parse_config
from avsieve.wiring.launch import training_resources, training_threads


def test_on_one_machine_a_training_starts_its_processes_itself() -> None:
    config = parse_config({"training": {"devices": 2, "workers": 3}})
    assert training_threads(config) == 2 + 2 * 3
    assert training_resources(config, 1) == {"gpu": 2, "devices": 2, "workers": 3, "nodes": 1, "launch": ""}


def test_on_several_machines_srun_starts_it_once_for_each_gpu() -> None:
    config = parse_config({"training": {"devices": 2, "workers": 3, "nodes": 4}})
    assert training_threads(config) == 2 + 3
    asked = training_resources(config, 1)
    assert asked.pop("launch") == "srun --nodes=4 --ntasks-per-node=2 --cpus-per-task=5 --gpus-per-node=2"
    assert asked == {"gpu": 8, "devices": 2, "workers": 3, "nodes": 4, "mpi": "srun", "tasks_per_node": 2}
    assert "--gpus" not in training_resources(config, 0)["launch"]
    single = training_resources(parse_config({"training": {"nodes": 4}}), 0)
    assert (single["tasks"], "tasks_per_node" in single) == (4, False)

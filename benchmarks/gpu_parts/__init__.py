"""The parts of `benchmarks/gpu.sh`; each is a module with a function ``measure`` that takes a `gpu_parts.part.Part`."""

#!/usr/bin/env bash
# Measure everything that wants a GPU, in under eight minutes: see docs/benchmarks.md, or --help.
#   benchmarks/gpu.sh [--dry-run] [--out FILE.json] [--parts NAME ...] [--skip NAME ...] [--budget NAME=SECONDS ...]
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
export PYTHONPATH="$(dirname "$here")/src:$here${PYTHONPATH:+:$PYTHONPATH}"
exec "${PYTHON:-python3}" -m gpu_parts "$@"

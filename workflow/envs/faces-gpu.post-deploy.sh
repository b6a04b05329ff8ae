#!/usr/bin/env bash
set -euo pipefail
python -m pip install --no-deps 'insightface==2.1'
python -c 'import onnxruntime as o; p = o.get_available_providers(); assert "CUDAExecutionProvider" in p, p'

"""Choose the cohort of the AS-norm: utterances of a training list, the same for every model that is evaluated."""

from __future__ import annotations

from pathlib import Path

from avsieve.comparison.arm_lists import write_arm
from avsieve.config.evaluation import AsNorm
from avsieve.runtime.options import add_settings
from avsieve.runtime.scripting import parser, run


def main() -> None:
    """Write the cohort's list."""
    ap = parser(__doc__)
    ap.add_argument("--list", type=Path, required=True, help="training list, 'speaker wav seconds'")
    ap.add_argument("--plan", type=Path, required=True, help="the plan (Parquet): who is kept for testing")
    add_settings(ap, AsNorm, only=["per_speaker"], required=True)
    ap.add_argument("--out", type=Path, required=True, help="list to write")
    args = ap.parse_args()
    print(write_arm(args.list, args.plan, args.out, args.per_speaker))


if __name__ == "__main__":
    run(main)

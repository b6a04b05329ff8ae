"""Break labels of the list on purpose, cleanse it again, and measure precision, recall and F1 on one's own data."""

from __future__ import annotations

from pathlib import Path

from avsieve.cleansing.audit import audit_run
from avsieve.cleansing.settings import Audit, Cleansing
from avsieve.runtime.options import add_settings, settings_of
from avsieve.runtime.scripting import parser, run
from avsieve.storage.atomic import write_json


def main() -> None:
    """Audit and write the figures."""
    ap = parser(__doc__)
    ap.add_argument("--plan", type=Path, required=True, help="plan of all utterances")
    ap.add_argument("--audio", type=Path, nargs="*", default=[], help="voice embeddings of the shards")
    ap.add_argument("--visual", type=Path, nargs="*", default=[], help="face embeddings of the shards")
    add_settings(ap, Audit, required=True)
    add_settings(ap, Cleansing, required=True)
    ap.add_argument("--out", type=Path, required=True, help="figures to write (JSON)")
    args = ap.parse_args()
    embeddings = {"audio": args.audio, "visual": args.visual}
    write_json(args.out, audit_run(args.plan, embeddings, settings_of(Audit, args), settings_of(Cleansing, args)))


if __name__ == "__main__":
    run(main)

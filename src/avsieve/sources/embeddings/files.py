"""The files behind the name of a table; the rules ask for them too, so nothing heavy is imported."""

from __future__ import annotations


def table_files(table: str) -> list[str]:
    """Return the files that a table's name stands for: ``vectors.npy:names.txt`` joins two."""
    vectors, mark, names = table.partition(".npy:")
    return [f"{vectors}.npy", names] if mark else [table]

"""Embeddings that users bring: every format, read by `avsieve.embedding_files.reading.read_tables`."""

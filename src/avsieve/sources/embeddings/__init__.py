"""Embeddings made elsewhere: nothing to fetch, decode or embed."""

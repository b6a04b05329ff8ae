"""Cleansing methods, one a module: what they are is told in `avsieve.cleansing.method`."""

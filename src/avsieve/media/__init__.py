"""Media: opening, decoding and making clips."""

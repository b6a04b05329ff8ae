"""Which people of one corpus are in another."""

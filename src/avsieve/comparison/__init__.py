"""What the cleansing is worth to encoders: the same network, from the same seeds, on the full and the cleansed list."""

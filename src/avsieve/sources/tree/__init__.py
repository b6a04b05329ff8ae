"""A folder of clips in VoxCeleb2's layout."""

"""VoxCeleb from its official track files: fetched from the site, cut and cropped along the tracks."""

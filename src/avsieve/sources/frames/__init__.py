"""Face images and sound that are ready, such as VoxCeleb1's face release and AVCleanse's trees."""

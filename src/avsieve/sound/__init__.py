"""Sound as arrays: mixing at a ratio, rooms, and folders of recordings."""

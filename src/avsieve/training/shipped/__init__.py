"""Train the small models that are shipped."""

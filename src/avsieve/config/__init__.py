"""The configuration: what every key means, its default and its bounds."""

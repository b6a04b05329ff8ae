"""Errors that a user can cause and can fix: shown as one message, without a stack trace."""


class AvsieveError(Exception):
    """A user's mistake or unusable input; the message names the item, both values and the remedy."""


class ConfigError(AvsieveError):
    """A key of the configuration is unknown, missing or has a wrong value."""


class TooManyFailuresError(AvsieveError):
    """More utterances of a stage failed than ``max_failed`` allows."""


class TarError(AvsieveError):
    """A tar and its index disagree, or one of them is damaged."""


class ModelError(AvsieveError):
    """A model file is missing, has the wrong layout, or cannot run on the device that was asked for."""


class ListError(AvsieveError):
    """A training list, trial list or truth table has a line that cannot be read."""

"""The one error root, with its transient and permanent branches.

A message says what happened, to which object, the value found, the rule it broke and the next step.
Libraries' errors are wrapped at the edge where they arise.
"""

from __future__ import annotations


class PilotbedError(Exception):
    """Something went wrong that Pilotbed can name. Its text is one line for a person."""

    exit_code: int = 2
    """What the command line returns for it: 1 for a negative answer, 2 for wrong use or environment."""


class TransientError(PilotbedError):
    """The same call may succeed later: a server is away, a lock is held."""


class PermanentError(PilotbedError):
    """The same call will fail again until somebody changes something."""


class EnvironmentProblem(PermanentError):
    """The machine lacks something or has it taken: a program, a port, disk space, a directory."""


class NotFound(PermanentError):
    """A named object does not exist. The message names it and lists what there is where that is short."""


class NegativeAnswer(PermanentError):
    """The question was understood and the answer is no: an invalid plan, a failed verification."""

    exit_code = 1


class DatabaseAway(TransientError):
    """The database refused, dropped or timed out a connection."""


class BrokerAway(TransientError):
    """The broker refused, dropped or timed out a connection."""

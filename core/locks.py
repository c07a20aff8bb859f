"""The keys of our advisory locks in PostgreSQL, in one place so that no two are the same."""

from __future__ import annotations

from typing import Final

MIGRATE: Final = 7_041_001
"""One process migrates at a time."""

HORIZON: Final = 7_041_002
"""Shared by whoever takes readings in; taken alone, for an instant, by whoever closes the past."""

SUMMARISE: Final = 7_041_003
"""One process makes summaries at a time."""

REGISTRY: Final = 7_041_004
"""One change of the registry at a time."""

REPLAY: Final = 7_041_008
"""One replay at a time looks for free instants of arrival."""

REDECODE: Final = 7_041_012
"""With a pilot's id: one process at a time decodes its raw messages again."""

RETAIN: Final = 7_041_013
"""One process at a time deletes what is past its retention."""

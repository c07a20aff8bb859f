"""The device templates that come with the platform, read: to be listed, and to be used as examples."""

from __future__ import annotations

from devices.plan.profile import Profile
from devices.plan.profile_files import finder, shipped
from devices.plan.yaml_tree import read_tree


def shipped_profiles() -> dict[str, Profile]:
    """Name → template, by name."""
    return {name: Profile.model_validate(read_tree(shipped_source(name)).root) for name in shipped()}


def shipped_source(name: str) -> bytes:
    """The file of a shipped template, to the byte.

    :raises NoProfile: there is none of that name.
    """
    return finder(None)(name)

"""The device templates of a plan version, kept with it whole, so that no file is asked again: name → hash and text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from devices.plan.profile import Profiles, UsedProfile


def kept(profiles: Profiles) -> dict[str, dict[str, str]]:
    """What is stored of them. They are UTF-8: their reader takes nothing else, so the text is the bytes."""
    return {one.name: {"sha256": one.sha256, "source": one.source.decode()} for one in profiles}


def used(stored: Mapping[str, Mapping[str, Any]]) -> Profiles:
    """The templates of what was stored."""
    return tuple(UsedProfile(name=name, source=stored[name]["source"].encode()) for name in sorted(stored))

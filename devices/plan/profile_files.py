"""Where a template's bytes come from: this package, a file beside the plan, or what was stored when the plan was applied."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

from devices.plan.problem import guess, known
from devices.plan.profile import Profiles

LARGEST_BYTES: Final = 64 * 1024
_SHIPPED: Final = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
_FOLDER: Final = "devices.profiles"

Find = Callable[[str], bytes]
"""A name as the plan writes it → the file's bytes. It raises :class:`NoProfile`, and nothing else."""


class NoProfile(Exception):
    """A name that leads to no template: which rule does not hold."""

    def __init__(self, code: str, **values: Any) -> None:
        super().__init__(code)
        self.code = code
        self.values = values


@cache
def shipped() -> tuple[str, ...]:
    """The names of the templates that come with the platform."""
    return tuple(
        sorted(one.name.removesuffix(".yaml") for one in files(_FOLDER).iterdir() if one.name.endswith(".yaml"))
    )


def finder(folder: Path | None) -> Find:
    """What finds shipped templates, and files beside a plan.

    :param folder: in which the plan lies; None: nobody knows.
    """

    def find(name: str) -> bytes:
        if _SHIPPED.fullmatch(name):
            if name not in shipped():
                raise NoProfile("profile-unknown", known=known(shipped(), 30), guess=guess(name, shipped()))
            return (files(_FOLDER) / f"{name}.yaml").read_bytes()
        if not _is_below(name):
            raise NoProfile("profile-path")
        if folder is None:
            raise NoProfile("profile-folder")
        return _beside(folder, name)

    return find


def stored(profiles: Profiles) -> Find:
    """What finds those that were stored with a plan, and no others."""
    there = {one.name: one.source for one in profiles}

    def find(name: str) -> bytes:
        if name not in there:
            raise NoProfile("profile-stored", known=known(list(there)))
        return there[name]

    return find


def _is_below(name: str) -> bool:
    """Whether a name is a path to a YAML file in the plan's folder, or below, on every system."""
    steps = name.removeprefix("./").split("/")
    plain = not any(sign in name for sign in '\\:\0"<>|?*') and name.isprintable()
    return plain and name.endswith((".yaml", ".yml")) and all(step.strip(". ") for step in steps)


def _beside(folder: Path, name: str) -> bytes:
    try:
        path, home = (folder / name).resolve(), folder.resolve()
        if not path.is_relative_to(home):  # by a link
            raise NoProfile("profile-path")
        if not path.is_file():
            raise NoProfile("profile-none", path=name)
        with path.open("rb") as file:
            source = file.read(LARGEST_BYTES + 1)
    except (OSError, RuntimeError, ValueError) as error:  # RuntimeError: links in a circle
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise NoProfile("profile-unreadable", why=why) from error
    if len(source) > LARGEST_BYTES:
        raise NoProfile("profile-size", most=LARGEST_BYTES)
    return source

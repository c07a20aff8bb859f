"""The protocols that a connection may name. The front door says which there are, when it is first asked.

Nothing here is imported that costs time: every command passes by.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

_KNOWN: dict[str, type[BaseModel] | None] = {}
_PROVIDERS: list[Callable[[], None]] = []


def provide(fill: Callable[[], None]) -> None:
    """Have protocols registered by :func:`register` once somebody asks which there are."""
    _PROVIDERS.append(fill)


def register(name: str, options: type[BaseModel] | None = None) -> None:
    """Make a protocol known.

    :param options: the model of what stands under ``options:`` of its connections; None: it takes nothing there.
    :raises ValueError: the name is taken by another model.
    """
    if _KNOWN.setdefault(name, options) is not options:
        raise ValueError(
            f"The protocol {name!r} is registered already, with other options; give this one another name."
        )


def options_of(name: str) -> type[BaseModel]:
    """The options' model of a known protocol."""
    from devices.plan.parts import NoOptions

    _ask()
    return _KNOWN[name] or NoOptions


def known_protocols() -> tuple[str, ...]:
    """The names, in order of registration."""
    _ask()
    return tuple(_KNOWN)


def _ask() -> None:
    while _PROVIDERS:
        _PROVIDERS.pop()()
    _KNOWN.setdefault("json", None)  # the native form, whoever asks

"""The protocols that a connection may name. The front door says which there are, when it is first asked.

Nothing here is imported that costs time: every command passes by.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pydantic import BaseModel

UnitOf = Callable[[str], "str | None"]
"""The unit that a protocol itself states for a source; None where it states none. LookupError: it has no such source."""


@dataclass(frozen=True, slots=True)
class Terms:
    """What a plan may say to a protocol."""

    options: type[BaseModel] | None = None
    """The model of what stands under ``options:`` of its connections; None: it takes nothing there."""
    select: type[BaseModel] | None = None
    """That of what stands under ``select:`` of their slots; None: whatever stands there is taken."""
    stated: UnitOf | None = field(default=None, compare=False)
    """The units that it states itself; None: its messages, or the plan, say them."""


_KNOWN: dict[str, Terms] = {}
_PROVIDERS: list[Callable[[], None]] = []


def provide(fill: Callable[[], None]) -> None:
    """Have protocols registered by :func:`register` once somebody asks which there are."""
    _PROVIDERS.append(fill)


def register(name: str, terms: Terms) -> None:
    """Make a protocol known.

    :raises ValueError: the name is taken on other terms.
    """
    if _KNOWN.setdefault(name, terms) != terms:
        raise ValueError(f"The protocol {name!r} is registered already, on other terms; give this one another name.")


def terms_of(name: str) -> Terms | None:
    """What a plan may say to a protocol; None where it is not known."""
    _ask()
    return _KNOWN.get(name)


def known_protocols() -> tuple[str, ...]:
    """The names, in order of registration."""
    _ask()
    return tuple(_KNOWN)


def _ask() -> None:
    while _PROVIDERS:
        _PROVIDERS.pop()()
    _KNOWN.setdefault("json", Terms())  # the native form, whoever asks

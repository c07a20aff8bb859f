"""The protocols that a connection may name. Each protocol's room registers itself where the front door wires it."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class NoOptions(BaseModel):
    """A protocol that takes nothing besides what every connection has."""

    model_config = ConfigDict(extra="forbid", frozen=True)


_KNOWN: dict[str, type[BaseModel]] = {"json": NoOptions}


def register(name: str, options: type[BaseModel] = NoOptions) -> None:
    """Make a protocol known, with the model of what stands under ``options:`` of its connections.

    :raises ValueError: the name is taken by another model.
    """
    if _KNOWN.setdefault(name, options) is not options:
        raise ValueError(
            f"The protocol {name!r} is registered already, with other options; give this one another name."
        )


def options_of(name: str) -> type[BaseModel]:
    """The options' model of a known protocol."""
    return _KNOWN[name]


def known_protocols() -> tuple[str, ...]:
    """The names, in order of registration."""
    return tuple(_KNOWN)

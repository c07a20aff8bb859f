"""The examples to paste that ``pilotbed device`` shows after a secret."""

from __future__ import annotations

from pathlib import Path

import typer

from core.settings import settings
from devices.example import KINDS, Way, example_slot, examples
from devices.plan.credential_file import Credential
from devices.plan.model import Plan

_NOT_HERE = "PASSWORD"
"""In place of a secret that was handed over elsewhere."""


def kinds_of(given: str | None) -> tuple[str, ...] | None:
    """What ``--example`` asks for; None where it was left out."""
    if given is None:
        return None
    if given not in (*KINDS, "all"):
        raise typer.BadParameter(f"{given!r} is none of {', '.join(KINDS)}, all", param_hint="--example")
    return KINDS if given == "all" else (given,)


def examples_of(
    plan: Plan, issued: Credential, broker: str, kinds: tuple[str, ...] | None, *, shown: bool
) -> dict[str, str]:
    """Examples of a connection's first slot, by kind; none where it speaks another form than JSON.

    :param kinds: which; None: all, unless the secret is handed over elsewhere.
    :param shown: whether the secret is shown here: then it stands in them.
    """
    slot = example_slot(plan, issued.connection)
    if slot is None or (kinds is None and not shown):
        return {}
    chosen = settings()
    way = Way(
        broker=broker,
        username=issued.username,
        password=issued.password if shown else _NOT_HERE,
        ca=None if chosen.mqtt_ca is None else Path(chosen.mqtt_ca).name,
        certified=chosen.broker_client_ca is not None or chosen.mqtt_certificate is not None,
    )
    return {kind: text for kind, text in examples(plan, slot, way).items() if kinds is None or kind in kinds}


def say_examples(found: dict[str, str]) -> None:
    """Print them so that each can be pasted as it stands."""
    for text in found.values():
        print(f"\n{text}", end="")

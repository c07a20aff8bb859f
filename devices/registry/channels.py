"""Channels and their revisions: readings keep the revision by which they were decoded.

Whatever changes how a message is decoded or a reading is judged makes a new revision, valid for messages that arrive from
now on. What people read (the name) changes in place.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from psycopg.types.json import Jsonb

from core.sql import load
from core.window import EPOCH
from devices.plan.diff import channel_refusal
from devices.plan.model import Channel
from devices.plan.problem import PlanProblems, Problem
from devices.registry.work import Work

_SQL = load("devices.registry", "registry.sql")
_COLUMNS = ("kind", "unit", "reporting", "period_s", "max_hold_s")


def apply_channels(work: Work, slot: str, slot_id: int, channels: Mapping[str, Channel]) -> None:
    """Bring a slot's channels to what the plan says."""
    newest = _newest(work, slot_id)
    for name, channel in channels.items():
        row = newest.get(name)
        if row is None:
            # Of a pilot's first version, all that ever arrives is decoded by it, also a history that is loaded later.
            since = EPOCH if work.before is None else work.now
            _add(work, slot, slot_id, name, channel, revision=1, valid_from=since)
        else:
            _follow(work, slot, slot_id, name, channel, row)
    close_channels(work, slot, slot_id, keep=channels)


def close_channels(work: Work, slot: str, slot_id: int, *, keep: Iterable[str]) -> None:
    """End what the plan does not name any more."""
    kept = set(keep)
    for name, row in _newest(work, slot_id).items():
        if name not in kept and row["valid_to"] is None:
            work.connection.execute(_SQL["close_channel"], {"channel_id": row["channel_id"], "now": work.now})
            work.audit("channel.withdraw", f"channel {slot}/{name}", before=_shown(row))


def _newest(work: Work, slot_id: int) -> dict[str, dict[str, Any]]:
    return {row["name"]: row for row in work.connection.execute(_SQL["newest_channels"], {"slot_id": slot_id})}


def _described(channel: Channel) -> dict[str, Any]:
    return {
        "kind": channel.kind,
        "unit": channel.canonical_unit,
        "reporting": channel.reporting,
        "period_s": channel.period_s,
        "max_hold_s": channel.max_hold_s,
        "options": channel.model_dump(mode="json", by_alias=True, exclude_none=True),
    }


def _shown(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"revision": row["revision"], **{key: row[key] for key in (*_COLUMNS, "options")}}


def _judged(described: Mapping[str, Any]) -> dict[str, Any]:
    """All but what people read."""
    options = {key: value for key, value in described["options"].items() if key != "name"}
    return {**{key: described[key] for key in _COLUMNS}, "options": options}


def _add(
    work: Work, slot: str, slot_id: int, name: str, channel: Channel, *, revision: int, valid_from: Any
) -> dict[str, Any]:
    wanted = _described(channel)
    values = {**wanted, "options": Jsonb(wanted["options"])}
    work.connection.execute(
        _SQL["add_channel"],
        {"slot_id": slot_id, "name": name, "revision": revision, "valid_from": valid_from, **values},
    )
    if revision == 1:
        work.audit("channel.create", f"channel {slot}/{name}", after={"revision": 1, **wanted})
    return wanted


def _follow(work: Work, slot: str, slot_id: int, name: str, channel: Channel, row: dict[str, Any]) -> None:
    """A known channel: the same, with another name to read, or a new revision."""
    _require_allowed(work, slot, name, channel, row)
    wanted = _described(channel)
    if row["valid_to"] is None and _judged(row) == _judged(wanted):
        if row["options"] != wanted["options"]:
            values = {"channel_id": row["channel_id"], "options": Jsonb(wanted["options"])}
            work.connection.execute(_SQL["rename_channel"], values)
            work.audit("channel.rename", f"channel {slot}/{name}", before=_shown(row), after=wanted)
        return
    if row["valid_to"] is None:
        work.connection.execute(_SQL["close_channel"], {"channel_id": row["channel_id"], "now": work.now})
    _add(work, slot, slot_id, name, channel, revision=row["revision"] + 1, valid_from=work.now)
    after = {"revision": row["revision"] + 1, **wanted}
    work.audit("channel.revise", f"channel {slot}/{name}", before=_shown(row), after=after)


def _require_allowed(work: Work, slot: str, name: str, channel: Channel, row: dict[str, Any]) -> None:
    """A channel that an earlier version had keeps its unit too, though the version in force does not name it."""
    refusal = channel_refusal(Channel.model_validate(row["options"]), channel)
    if refusal is None:
        return
    code, values = refusal
    way = ("slots", slot, "channels", name)
    found = channel.canonical_unit if code == "unit-changed" else ", ".join(channel.states or ())
    raise PlanProblems(
        [Problem.at(work.line_of(way), way, found, code, **values)], name=f"the plan of {work.plan.pilot}"
    )

"""Where damaged messages go: the sites of the decoder's cases, and those that the simulators speak for."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter
from ruamel.yaml import YAML

import ingest.protocols as protocols
import pilotbed  # noqa: F401  plans name protocols, which the front door knows
from core.window import micros
from devices.plan.model import Connection, Plan, Slot
from devices.plan.reader import read_plan
from ingest.binding import ConnectionBinding
from ingest.planned import planned
from ingest.routing import Routes
from simulators.demo import DEMO_SCENARIOS, demo_plans
from simulators.encoding.native import numbered
from simulators.live import messages

ROOM = Path(protocols.__file__).parent
"""Where each protocol has a folder, with its cases."""
_OF_A_SCENARIO = 150
_DAY = date(2026, 7, 31)

Recorded = tuple[bytes, bytes]
"""Topic and payload."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The connections of one plan, and messages that were meant for it."""

    name: str
    bindings: list[ConnectionBinding]
    routes: Routes
    received_us: int
    recorded: list[Recorded]


def sites() -> list[Site]:
    """All of them, always in the same order."""
    return [*_of_cases(), *map(_of_scenario, DEMO_SCENARIOS)]


def case_folders() -> list[Path]:
    """The folder of each case, of all protocols."""
    return sorted(path.parent for path in ROOM.glob("*/cases/*/expected.json"))


def case_messages(folder: Path) -> list[dict[str, Any]]:
    """What ``message.json`` tells: one message, or several in their order."""
    told = json.loads((folder / "message.json").read_text(encoding="utf-8"))
    return told if isinstance(told, list) else [told]


def case_bindings(folder: Path) -> list[ConnectionBinding]:
    """The connections of one case: by the plan of its own, or the one that most cases share."""
    own = folder / "plan.yaml"
    yaml = YAML(typ="safe", pure=True)
    yaml.version = "1.2"
    document = yaml.load((own if own.exists() else folder.parent / "plan.yaml").read_text(encoding="utf-8"))
    return planned(
        pilot=document["pilot"],
        start_us=moment_us(document["period"]["start"]),
        end_us=moment_us(document["period"]["end"]),
        connections=TypeAdapter(dict[str, Connection]).validate_python(document.get("connections", {})),
        slots=TypeAdapter(dict[str, Slot]).validate_python(document["slots"]),
    )


def case_payload(told: dict[str, Any]) -> bytes:
    """The bytes that ``message.json`` stands for."""
    match told:
        case {"payload_text": text}:
            return str(text).encode()
        case {"payload_hex": text}:
            return bytes.fromhex(text)
        case {"payload": {"repeat": [text, times]}}:
            return str(text).encode() * int(times)
    return json.dumps(told["payload"], ensure_ascii=False).encode()


def moment_us(value: Any) -> int:
    """An instant of a case's files."""
    return micros(datetime.fromisoformat(value) if isinstance(value, str) else value)


def _of_cases() -> Iterable[Site]:
    by_plan: dict[Path, list[Recorded]] = {}
    for folder in case_folders():
        owner = folder if (folder / "plan.yaml").exists() else folder.parent
        recorded = [(told["topic"].encode(), case_payload(told)) for told in case_messages(folder)]
        by_plan.setdefault(owner, []).extend(recorded)
    for owner, recorded in by_plan.items():
        bindings = case_bindings(owner)
        yield Site(
            name=f"{owner.relative_to(ROOM)}",
            bindings=bindings,
            routes=Routes(bindings),
            received_us=moment_us("2026-06-01T03:00:00Z"),
            recorded=recorded,
        )


def _of_scenario(pilot: str) -> Site:
    plan = read_plan(demo_plans(_DAY)[pilot].encode(), name=pilot).plan
    bindings = _bindings(plan)
    end = plan.window.start + timedelta(days=2)
    sent = list(islice(messages(DEMO_SCENARIOS[pilot], plan, plan.window.start, end), 20_000))
    chosen = sent[:: max(1, len(sent) // _OF_A_SCENARIO)]
    return Site(
        name=pilot,
        bindings=bindings,
        routes=Routes(bindings),
        received_us=micros(end),
        recorded=[
            (
                one.topic.encode(),
                numbered(one.payload, "b1", seq) if seq % 2 and one.payload[:1] == b"{" else one.payload,
            )
            for seq, one in enumerate(chosen)
        ],
    )


def _bindings(plan: Plan) -> list[ConnectionBinding]:
    return planned(
        pilot=plan.pilot,
        start_us=plan.window.start_us,
        end_us=plan.window.end_us,
        connections=plan.connections,
        slots=plan.slots,
    )

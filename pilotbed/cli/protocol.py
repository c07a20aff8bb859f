"""``pilotbed protocol``: what an integrator tries before going on site."""

from __future__ import annotations

import json
import re
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from core.errors import NegativeAnswer, PermanentError
from core.settings import settings
from pilotbed.cli import group
from pilotbed.cli.bar import progress
from pilotbed.cli.payload import visible

if TYPE_CHECKING:  # imported where they are needed, so that --help is there at once
    from devices.plan.model import Plan
    from ingest.binding import ConnectionBinding
    from ingest.preview import Preview
    from ingest.recorded import Recorded

app = group("Try recorded messages against a protocol's decoder and a plan, without a database.")


@app.callback()
def _group() -> None:
    """Keeps ``try`` a subcommand."""


@app.command("try")
def try_(
    file: Annotated[
        Path,
        typer.Argument(metavar="FILE", help="One message, a line of JSON a message (mosquitto_sub -F %j), or a .tlog."),
    ],
    protocol: Annotated[
        str | None,
        typer.Option(help="Which protocol the messages are of; with a plan only where FILE does not say its topic."),
    ] = None,
    plan: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The plan by which they are read; without: what they have to offer."),
    ] = None,
    topic: Annotated[str | None, typer.Option(help="The topic of a FILE that is one message.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object a message, in one list.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """Decode recorded messages as a collector would, in their order, and say what of them is taken and what is not, and why.

    Without a plan: the names that a plan can map, with their values and units. Ends with 1 if anything is not taken.
    """
    from devices.plan.reader import read_plan
    from ingest.recorded import recorded

    if plan is None:
        _offer(file, protocol, as_json=as_json)
        return
    agreed = read_plan(plan).plan
    told_in = language or settings().language
    trial = _Trial(agreed, protocol, topic)
    total = file.stat().st_size if file.is_file() else 0
    shown: list[dict[str, Any]] = []
    with progress("메시지 해독 · decoding") as tell:
        for message, done in recorded(file):
            named_topic, seen = trial.take(message)
            tell(done, total)
            if as_json:
                shown.append(_plain(named_topic, seen))
            else:
                typer.echo("\n".join(_lines(named_topic, seen, told_in)))
    if as_json:
        print(json.dumps({"pilot": agreed.pilot, "messages": shown, **trial.counted()}, ensure_ascii=False))
    else:
        typer.echo(", ".join(f"{name} {count:,}" for name, count in trial.counted().items()))
    if trial.refused:
        raise NegativeAnswer(
            f"{trial.refused:,} items of {trial.messages:,} messages in {file} are not taken: the reasons stand beside them."
        )


def _offer(file: Path, protocol: str | None, *, as_json: bool) -> None:
    """Tell each name once, with the last value that stood under it."""
    from ingest.protocols import PROTOCOLS
    from ingest.reasons import Refused
    from ingest.recorded import recorded

    if protocol is None or protocol not in PROTOCOLS:
        raise PermanentError(
            f"--protocol {protocol or '(nothing)'} is none of {', '.join(PROTOCOLS)}: without a plan, name one of them."
        )
    found: dict[str, tuple[str, str]] = {}
    unread: list[str] = []
    total = file.stat().st_size if file.is_file() else 0
    with progress("메시지 해독 · decoding") as tell:
        for place, (message, done) in enumerate(recorded(file), start=1):
            try:
                for name, value, unit in PROTOCOLS[protocol].names(message.payload):
                    found[name] = value, unit
            except Refused as why:
                unread.append(f"message {place}: {why.reason} ({visible(why.detail)})")
            tell(done, total)
    if as_json:
        rows = [{"name": name, "value": value, "unit": unit} for name, (value, unit) in found.items()]
        print(json.dumps({"protocol": protocol, "names": rows, "unread": unread}, ensure_ascii=False))
    else:
        for name, (value, unit) in found.items():
            typer.echo(f"{visible(name):40} {visible(value)} {visible(unit)}".rstrip())
    if unread:
        raise NegativeAnswer(f"{len(unread)} of the messages in {file} are not {protocol}: {'; '.join(unread[:3])}.")


class _Trial:
    """A collector's reading of messages, with what its protocols remember, and no store."""

    def __init__(self, plan: Plan, protocol: str | None, topic: str | None) -> None:
        from ingest.memory import Memory
        from ingest.planned import planned
        from ingest.routing import Routes

        self._bound = planned(
            pilot=plan.pilot,
            start_us=plan.window.start_us,
            end_us=plan.window.end_us,
            connections=plan.connections,
            slots=plan.slots,
        )
        self._units: dict[int, str] = {
            channel.channel_id: channel.unit for one in self._bound for slot in one.slots for channel in slot.channels
        }
        self._routes = Routes(self._bound)
        self._memory = Memory()
        self._topic = topic or _topic_of(self._bound, protocol)
        self._counts: Counter[str] = Counter()
        self.messages = self.refused = 0

    def take(self, message: Recorded) -> tuple[str, Preview]:
        """What one message says after those before it."""
        from ingest.batching import Arrivals, Limits, decode_guarded
        from ingest.part import Part
        from ingest.preview import named

        topic = message.topic or self._topic
        if topic is None:
            raise PermanentError(
                "The file does not say its topic, and the plan has several connections: name one with --topic, or --protocol."
            )
        received_us = message.received_us or time.time_ns() // 1000
        header = 0x30 | (0 if message.flags & 4 else 0x02) | (0x01 if message.flags & 2 else 0)
        part = Part(generation=0, received_us=received_us, items=[(topic.encode(), message.payload, 0, header)])
        recollection = self._memory.batch()
        batch = decode_guarded(
            [part], self._routes, Arrivals(), Limits(payload_bytes=2**31, keep_messages=False), recollection
        )
        self._memory.settle(recollection)
        seen = named(batch, self._bound, self._units)
        self.messages += 1
        self.refused += len(seen.refused) + (seen.set_aside is not None)
        self._counts.update(
            {
                "readings": len(seen.readings), "events": len(seen.events), "link_states": len(seen.link_states),
                "refused": len(seen.refused), "set_aside": int(seen.set_aside is not None),
            }
        )  # fmt: skip
        return topic, seen

    def counted(self) -> Mapping[str, int]:
        """How many of each there were."""
        return {"count": self.messages, **self._counts}


def _topic_of(bound: list[ConnectionBinding], protocol: str | None) -> str | None:
    """A topic of the one connection that can be meant."""
    chosen = [one for one in bound if protocol in (None, one.protocol)]
    if protocol is not None and not chosen:
        raise PermanentError(
            f"No connection of the plan speaks {protocol!r}: it has {', '.join(sorted({one.protocol for one in bound}))}."
        )
    if len(chosen) != 1:
        return None
    topics = [*chosen[0].topics, *(topic for slot in chosen[0].slots for topic in slot.topics)]
    if topics:
        return re.sub(r"[+#]", "x", topics[0])
    what = "mavlink" if chosen[0].protocol == "mavlink" else "readings"
    return f"pilots/{chosen[0].pilot}/{chosen[0].slots[0].name}/{what}"


def _plain(topic: str, seen: Preview) -> dict[str, Any]:
    from core.canonical import plain

    found = plain(asdict(seen))
    assert isinstance(found, dict)
    return {"topic": topic, **found}


def _lines(topic: str, seen: Preview, language: str) -> Iterator[str]:
    from core.language import with_unit
    from core.units import shown_unit
    from ingest.reasons import REASONS

    yield visible(topic)
    for one in seen.readings:
        value = one.state if one.state is not None else with_unit(f"{one.value:.10g}", shown_unit(one.unit), language)
        yield f"  ✓ {one.slot}.{one.channel}  {one.observed_at.isoformat()}  {value}"
    for event in seen.events:
        phase = f" {event['phase']}" if event["phase"] else ""
        yield f"  ✓ {event['slot']} {event['kind']} {visible(event['id'])}{phase}  {event['at'].isoformat()}"
    for link in seen.link_states:
        yield f"  ✓ {link['slot']} {link['state']}  {link['at'].isoformat()}"
    refused = [*seen.refused, *([] if seen.set_aside is None else [seen.set_aside])]
    for item in refused:
        reason = REASONS[item.reason]
        said, step = (reason.ko, reason.step_ko) if language == "ko" else (reason.en, reason.step_en)
        where = f"{item.slot}.{item.item} = {visible(item.value)}  " if item.item else ""
        yield f"  ✕ {where}{said} ({visible(item.detail)}) {step}"

"""``pilotbed simulate``: what a site would send, live or faster; a recording, replayed."""

from __future__ import annotations

import json
import re
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.errors import NegativeAnswer
from devices.plan.credential_file import read_credentials
from devices.plan.reader import read_plan
from pilotbed.cli import group
from simulators.access import login_of, logins
from simulators.encoder import Encoder
from simulators.live import Run, Sent
from simulators.publisher import Publisher
from simulators.recording import BadRow, count_rows
from simulators.replay import recorded
from simulators.replay import replay as send_recording
from simulators.scenario import SCENARIOS, AirQuality, DeliveryRobot, Scenario, SolarBench

app = group("Send what a site would send (air, robot, park), or replay a recording.")

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_DEFAULT_LEAD = timedelta(days=1)
_AIR, _ROBOT, _PARK = AirQuality(), DeliveryRobot(), SolarBench()

_Plan = Annotated[Path, typer.Option("--plan", help="The plan file that was applied.")]
_Credentials = Annotated[Path, typer.Option(help="The file that `pilotbed plan apply --credentials` wrote.")]
_Broker = Annotated[str | None, typer.Option(help="mqtt://host:port in place of the credential file's.")]
_Json = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]
_Seed = Annotated[int, typer.Option(help="Same seed and instant: same values.")]
_Speed = Annotated[
    float, typer.Option(min=1.0, help="How many times as fast as ours the device's clock goes, until it has caught up.")
]
_For = Annotated[str | None, typer.Option("--for", help="Stop after so long by our clock, as in 90s, 10m, 2h.")]
_From = Annotated[
    datetime | None,
    typer.Option(
        "--from",
        metavar="TIME",
        formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"],
        help="Where the device's clock begins, in the plan's zone. Without it: now; with --speed so early that --for"
        " catches up with now, or a day ago.",
    ),
]
_Loss = Annotated[float, typer.Option(min=0.0, max=1.0, help="Share of the messages that get lost.")]


@app.command("list")
def list_scenarios(as_json: _Json = False) -> None:
    """List the scenarios and the channels that they know."""
    if as_json:
        shown = {
            name: {"title": kind.title, "title_ko": kind.title_ko, "channels": list(kind.quantities)}
            for name, kind in SCENARIOS.items()
        }
        print(json.dumps({"scenarios": shown}, ensure_ascii=False))
        return
    for name, kind in SCENARIOS.items():
        print(f"{name:8} {kind.title_ko}\n{'':8} {kind.title}\n{'':8} channels: {', '.join(kind.quantities)}")


@app.command()
def replay(
    csv: Annotated[Path, typer.Argument(help="A CSV file with a heading: a time and a value column.")],
    plan: _Plan,
    slot: Annotated[str, typer.Option(help="The slot whose device is to have said it.")],
    channel: Annotated[str, typer.Option(help="The channel; values count in its source unit.")],
    credentials: _Credentials,
    time_column: Annotated[str | None, typer.Option(help="Without it: one named like a time, else the first.")] = None,
    value_column: Annotated[str | None, typer.Option(help="Without it: one named value, else the second.")] = None,
    broker: _Broker = None,
    as_json: _Json = False,
) -> None:
    """Send a recorded series through the broker, as fast as it is acknowledged. Local times are the plan's."""
    agreed = read_plan(plan).plan
    found = recorded(agreed, slot, channel, csv, time_column=time_column, value_column=value_column)
    login = login_of(read_credentials(credentials), agreed, slot, broker=broker)
    encoder = Encoder(agreed, slot)
    total = count_rows(csv) if csv.is_file() else 0
    with _progress(f"{csv.name} → {slot}.{channel}", total) as (bar, task), Publisher(login) as publisher:
        sent = send_recording(
            found,
            publisher,
            encoder,
            channel,
            complain=lambda row: _complain(bar, csv, row),
            progress=lambda count: bar.update(task, completed=count),
        )
    if as_json:
        print(json.dumps({"pilot": agreed.pilot, "slot": slot, "channel": channel, "file": str(csv), **asdict(sent)}))
    else:
        print(f"{sent.sent:,} sent, {sent.acknowledged:,} acknowledged, {sent.bad:,} bad rows, {sent.seconds:.1f} s")
    _require_heard(sent.unheard, sent.acknowledged)
    if sent.bad:
        raise NegativeAnswer(
            f"{sent.bad:,} of {sent.rows:,} rows of {csv} are no readings and were not sent; the other {sent.sent:,} were."
            " Correct them and replay the file: what is stored already stays once."
        )


@app.command()
def air(
    plan: _Plan,
    credentials: _Credentials,
    seed: _Seed = 1,
    speed: _Speed = 1.0,
    lasts: _For = None,
    start: _From = None,
    loss: _Loss = _AIR.loss,
    above: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of time with PM2.5 above 35 µg/m³.")
    ] = _AIR.above,
    broker: _Broker = None,
    as_json: _Json = False,
) -> None:
    """A station platform with smart ventilation: pm25, pm10, co2, temperature, humidity."""
    scenario = AirQuality(seed=seed, loss=loss, above=above)
    _run(scenario, plan, credentials, speed=speed, lasts=lasts, start=start, broker=broker, as_json=as_json)


@app.command()
def robot(
    plan: _Plan,
    credentials: _Credentials,
    seed: _Seed = 1,
    speed: _Speed = 1.0,
    lasts: _For = None,
    start: _From = None,
    loss: _Loss = _ROBOT.loss,
    failure: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of missions that are not delivered.")
    ] = _ROBOT.failure,
    intervention: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of missions that need a person's help.")
    ] = _ROBOT.intervention,
    broker: _Broker = None,
    as_json: _Json = False,
) -> None:
    """A delivery robot: battery, x, y, mode; missions, faults and interventions as events."""
    scenario = DeliveryRobot(seed=seed, loss=loss, failure=failure, intervention=intervention)
    _run(scenario, plan, credentials, speed=speed, lasts=lasts, start=start, broker=broker, as_json=as_json)


@app.command()
def park(
    plan: _Plan,
    credentials: _Credentials,
    seed: _Seed = 1,
    speed: _Speed = 1.0,
    lasts: _For = None,
    start: _From = None,
    loss: _Loss = _PARK.loss,
    broker: _Broker = None,
    as_json: _Json = False,
) -> None:
    """Solar benches in a park, silent most of the time: noise, seat_temperature, voltage."""
    scenario = SolarBench(seed=seed, loss=loss)
    _run(scenario, plan, credentials, speed=speed, lasts=lasts, start=start, broker=broker, as_json=as_json)


def _run(
    scenario: Scenario,
    plan: Path,
    credentials: Path,
    *,
    speed: float,
    lasts: str | None,
    start: datetime | None,
    broker: str | None,
    as_json: bool,
) -> None:
    """Send a scenario until it is to stop, and say what came of it."""
    agreed = read_plan(plan).plan
    if not agreed.simulated:
        _warn(f"The plan of {agreed.pilot!r} is not marked simulated: what is sent now counts as measured.")
    for unknown in scenario.check(agreed):
        _warn(f"Scenario {scenario.name!r} does not know {unknown}: that channel stays silent.")
    time_limit = None if lasts is None else duration(lasts)
    if start is not None and start.tzinfo is None:
        start = start.replace(tzinfo=agreed.zone)
    if start is None and speed > 1:
        start = datetime.now(UTC) - (_DEFAULT_LEAD if time_limit is None else time_limit * (speed - 1))
    run = Run(
        scenario,
        agreed,
        logins(read_credentials(credentials), agreed, broker=broker),
        start=None if start is None else start.astimezone(UTC),
        speed=speed,
        lasts=time_limit,
    )
    with _stopped_by_signal() as stop, _progress(f"{scenario.name} → {agreed.pilot}", None) as (bar, task):
        sent = run(
            stop,
            progress=lambda count, at: bar.update(
                task, completed=count, description=f"{agreed.pilot} {at.astimezone(agreed.zone):%Y-%m-%d %H:%M}"
            ),
        )
    if as_json:
        print(json.dumps({"pilot": agreed.pilot, "scenario": scenario.name, **_plain(sent)}))
    else:
        print(
            f"{sent.readings:,} readings and {sent.events:,} events in {sent.messages:,} messages,"
            f" {sent.acknowledged:,} acknowledged, {sent.seconds:.1f} s"
        )
    _require_heard(sent.unheard, sent.acknowledged)


def duration(text: str) -> timedelta:
    """``90s``, ``10m``, ``2h`` as a span of time.

    :raises BadParameter: the text is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f"--for {text!r} is no span of time: write it as in 90s, 10m or 2h")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _require_heard(unheard: int, acknowledged: int) -> None:
    """:raises NegativeAnswer: the broker took messages that it had nobody to give to."""
    if unheard:
        raise NegativeAnswer(
            f"{unheard:,} of {acknowledged:,} messages had no listener at the broker, so they are gone: no collector has ever"
            " connected there. Start one (pilotbed up), then send them again."
        )


def _plain(sent: Sent) -> dict[str, Any]:
    return {**asdict(sent), "start": sent.start.isoformat(), "until": sent.until.isoformat()}


@contextmanager
def _progress(description: str, total: int | None) -> Iterator[tuple[Progress, Any]]:
    """A progress bar on stderr, where that is a terminal."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        yield bar, bar.add_task(description, total=total)


@contextmanager
def _stopped_by_signal() -> Iterator[threading.Event]:
    """Ctrl-C and SIGTERM set the event; a second Ctrl-C ends at once."""
    stop = threading.Event()

    def stopped(number: int, _frame: Any) -> None:
        stop.set()
        signal.signal(number, before[number])

    before: dict[int, Any] = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stopped)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _warn(text: str) -> None:
    print(f"pilotbed: {text}", file=sys.stderr)


def _complain(bar: Progress, csv: Path, row: BadRow) -> None:
    line = f"pilotbed: {csv}:{row.number}: {row.problem}"
    if bar.disable:
        print(line, file=sys.stderr)
    else:
        bar.console.print(line, markup=False, highlight=False, soft_wrap=True)

"""``pilotbed simulate``: what a site would send, live or faster; a recording, replayed."""

from __future__ import annotations

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import Progress

from core.errors import NegativeAnswer
from devices.plan.credential_file import read_credentials
from devices.plan.reader import read_plan
from pilotbed.cli import group
from pilotbed.cli.sending import (
    BrokerOption,
    CredentialsOption,
    JsonOption,
    KeepOption,
    PlanOption,
    ReceiptsOption,
    kept_in,
    progress_bar,
    require_taken,
    sends,
    shown,
    taken,
    warn,
)
from simulators.access import login_of
from simulators.recording import BadRow, count_rows
from simulators.replay import recorded
from simulators.replay import replay as send_recording
from simulators.scenario import SCENARIOS, AirQuality, DeliveryRobot, PatrolDrone, Scenario, SolarBench
from simulators.speaker import Speaker

app = group("Send what a site would send (air, robot, park, drone) in its plan's protocol, or replay a recording.")

_AIR, _ROBOT, _DRONE = AirQuality(), DeliveryRobot(), PatrolDrone()


@app.command("list")
def list_scenarios(as_json: JsonOption = False) -> None:
    """List the scenarios and the channels that they know."""
    if as_json:
        known = {
            name: {"title": kind.title, "title_ko": kind.title_ko, "channels": list(kind.quantities)}
            for name, kind in SCENARIOS.items()
        }
        print(json.dumps({"scenarios": known}, ensure_ascii=False))
        return
    for name, kind in SCENARIOS.items():
        print(f"{name:8} {kind.title_ko}\n{'':8} {kind.title}\n{'':8} channels: {', '.join(kind.quantities)}")


@app.command()
def replay(
    csv: Annotated[Path, typer.Argument(help="A CSV file with a heading: a time and a value column.")],
    plan: PlanOption,
    slot: Annotated[str, typer.Option(help="The slot whose device is to have said it.")],
    channel: Annotated[str, typer.Option(help="The channel; values count in its source unit.")],
    credentials: CredentialsOption,
    time_column: Annotated[str | None, typer.Option(help="Without it: one named like a time, else the first.")] = None,
    value_column: Annotated[str | None, typer.Option(help="Without it: one named value, else the second.")] = None,
    broker: BrokerOption = None,
    receipts: ReceiptsOption = False,
    keep: KeepOption = None,
    as_json: JsonOption = False,
) -> None:
    """Send a recorded series through the broker, as fast as it is acknowledged. Local times are the plan's."""
    agreed = read_plan(plan).plan
    found = recorded(agreed, slot, channel, csv, time_column=time_column, value_column=value_column)
    login = login_of(read_credentials(credentials), agreed, slot, broker=broker)
    total = count_rows(csv) if csv.is_file() else 0
    with (
        kept_in(keep, wanted=receipts) as receipting,
        progress_bar(f"{csv.name} → {slot}.{channel}", total) as (bar, task),
        Speaker(
            agreed,
            agreed.connection_of(slot)[0],
            login,
            now=lambda: datetime.now(UTC),
            live=False,
            receipts=receipting,
            patience_s=60.0,
        ) as speaker,
    ):
        sent = send_recording(
            found,
            speaker,
            slot,
            channel,
            complain=lambda row: _complain(bar, csv, row),
            progress=lambda count: bar.update(task, completed=count),
        )
    if as_json:
        print(json.dumps({"pilot": agreed.pilot, "slot": slot, "channel": channel, "file": str(csv), **asdict(sent)}))
    else:
        print(
            f"{sent.sent:,} sent, {taken(sent.acknowledged, sent.unconfirmed)},{shown(sent.receipts)} {sent.bad:,} bad rows,"
            f" {sent.seconds:.1f} s"
        )
    require_taken(sent.receipts, sent.unheard, sent.acknowledged, keep)
    if sent.bad:
        raise NegativeAnswer(
            f"{sent.bad:,} of {sent.rows:,} rows of {csv} are no readings and were not sent; the other {sent.sent:,} were."
            " Correct them and replay the file: what is stored already stays once."
        )


@app.command()
@sends
def air(
    above: Annotated[
        float, typer.Option(min=0.0, max=0.9, help="Share of time with PM2.5 above 35 µg/m³.")
    ] = _AIR.above,
    **common: Any,
) -> Scenario:
    """A station platform with smart ventilation: pm25, pm10, co2, temperature, humidity."""
    return AirQuality(above=above, **common)


@app.command()
@sends
def robot(
    failure: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of missions that are not delivered.")
    ] = _ROBOT.failure,
    intervention: Annotated[
        float, typer.Option(min=0.0, max=1.0, help="Share of missions that need a person's help.")
    ] = _ROBOT.intervention,
    **common: Any,
) -> Scenario:
    """A delivery robot: battery, x, y, mode; missions, faults and interventions as events. VDA 5050: operating_mode, orders."""
    return DeliveryRobot(failure=failure, intervention=intervention, **common)


@app.command()
@sends
def drone(
    one_fails_of: Annotated[
        int, typer.Option(min=1, help="Of so many flights in a row one turns home before its time.")
    ] = _DRONE.one_fails_of,
    **common: Any,
) -> Scenario:
    """A patrol drone: battery, latitude, longitude, height, ground_speed, flight_mode; flights as events."""
    return PatrolDrone(one_fails_of=one_fails_of, **common)


@app.command()
@sends
def park(**common: Any) -> Scenario:
    """Solar benches in a park, silent most of the time: noise, seat_temperature, voltage."""
    return SolarBench(**common)


def _complain(bar: Progress, csv: Path, row: BadRow) -> None:
    line = f"{csv}:{row.number}: {row.problem}"
    if bar.disable:
        warn(line)
    else:
        bar.console.print(f"pilotbed: {line}", markup=False, highlight=False, soft_wrap=True)

"""What all scenarios of ``pilotbed simulate`` have in common: their options, and the run itself."""

from __future__ import annotations

import inspect
import json
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from functools import update_wrapper
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from core.errors import NegativeAnswer
from devices.plan.credential_file import read_credentials
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from simulators.access import logins
from simulators.live import Run, Sent
from simulators.receipts.sender import Counts, Receipts
from simulators.receipts.shelf import KeepFile
from simulators.scenario import Scenario

_DURATION = re.compile(r"(\d+(?:\.\d+)?)\s*(s|sec|m|min|h|d)")
_SECONDS = {"s": 1, "sec": 1, "m": 60, "min": 60, "h": 3600, "d": 86_400}
_DEFAULT_LEAD = timedelta(days=1)
_TIMES = ["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y-%m-%dT%H:%M:%S%z"]

PlanOption = Annotated[Path, typer.Option("--plan", help="The plan file that was applied.")]
CredentialsOption = Annotated[Path, typer.Option(help="The file that `pilotbed plan apply --credentials` wrote.")]
BrokerOption = Annotated[str | None, typer.Option(help="mqtt://host:port in place of the credential file's.")]
ReceiptsOption = Annotated[
    bool,
    typer.Option(
        "--receipts",
        help="Number the messages, keep each until the platform says that it is stored, send again what is lost.",
    ),
]
KeepOption = Annotated[
    Path | None,
    typer.Option(
        help="A file in which what has no receipt yet outlives this command; the next one sends it. With receipts."
    ),
]
JsonOption = Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """The options that every scenario takes, as the command line gives them."""

    plan: PlanOption
    credentials: CredentialsOption
    seed: Annotated[int, typer.Option(help="Same seed and instant: same values.")] = 1
    speed: Annotated[
        float,
        typer.Option(min=1.0, help="How many times as fast as ours the device's clock goes, until it has caught up."),
    ] = 1.0
    lasts: Annotated[str | None, typer.Option("--for", help="Stop after so long by our clock, as in 90s, 10m, 2h.")] = (
        None
    )
    start: Annotated[
        datetime | None,
        typer.Option(
            "--from",
            metavar="TIME",
            formats=_TIMES,
            help="Where the device's clock begins, in the plan's zone. Without it: now; with --speed so early that --for"
            " catches up with now, or a day ago.",
        ),
    ] = None
    loss: Annotated[
        float | None,
        typer.Option(min=0.0, max=1.0, help="Share of the messages that get lost; the scenario's own without it."),
    ] = None
    broker: BrokerOption = None
    receipts: ReceiptsOption = False
    keep: KeepOption = None
    as_json: JsonOption = False


def sends(make: Callable[..., Scenario]) -> Callable[..., None]:
    """A command that sends the scenario which ``make`` makes, with the options of :class:`Sending` and those of ``make``.

    :param make: takes the options of its own, and besides what all scenarios have (seed, loss) as ``**common``.
    """
    shared = list(inspect.signature(Sending, eval_str=True).parameters.values())
    own = [
        option.replace(kind=option.KEYWORD_ONLY)
        for option in inspect.signature(make, eval_str=True).parameters.values()
        if option.kind is not option.VAR_KEYWORD
    ]

    def command(**given: Any) -> None:
        sending = Sending(**{option.name: given.pop(option.name) for option in shared})
        common: dict[str, Any] = {"seed": sending.seed}
        if sending.loss is not None:
            common["loss"] = sending.loss
        send(make(**given, **common), sending)

    update_wrapper(command, make)
    command.__signature__ = inspect.Signature([*shared, *own])  # type: ignore[attr-defined]
    return command


def send(scenario: Scenario, sending: Sending) -> None:
    """Send a scenario until it is to stop, and say what came of it.

    :raises NegativeAnswer: messages went nowhere, or have no receipt.
    """
    agreed = read_plan(sending.plan).plan
    if not agreed.simulated:
        warn(f"The plan of {agreed.pilot!r} is not marked simulated: what is sent now counts as measured.")
    for unknown in scenario.check(agreed):
        warn(f"Scenario {scenario.name!r} does not know {unknown}: that channel stays silent.")
    time_limit = None if sending.lasts is None else duration(sending.lasts)
    with kept_in(sending.keep, wanted=sending.receipts) as receipts:
        run = Run(
            scenario,
            agreed,
            logins(read_credentials(sending.credentials), agreed, broker=sending.broker),
            start=_start(sending, agreed, time_limit),
            speed=sending.speed,
            lasts=time_limit,
            receipts=receipts,
        )
        with _stopped_by_signal() as stop, progress_bar(f"{scenario.name} → {agreed.pilot}", None) as (bar, task):
            sent = run(
                stop,
                progress=lambda count, at: bar.update(
                    task, completed=count, description=f"{agreed.pilot} {at.astimezone(agreed.zone):%Y-%m-%d %H:%M}"
                ),
            )
    if sending.as_json:
        print(json.dumps({"pilot": agreed.pilot, "scenario": scenario.name, **_plain(sent)}))
    else:
        print(
            f"{sent.readings:,} readings and {sent.events:,} events in {sent.messages:,} messages,"
            f" {taken(sent.acknowledged, sent.unconfirmed)},{shown(sent.receipts)} {sent.seconds:.1f} s"
        )
    require_taken(sent.receipts, sent.unheard, sent.acknowledged, sending.keep)


def _start(sending: Sending, plan: Plan, time_limit: timedelta | None) -> datetime | None:
    """Where the device's clock begins, as an aware instant; None: now."""
    if sending.start is not None:
        start = sending.start if sending.start.tzinfo else sending.start.replace(tzinfo=plan.zone)
        return start.astimezone(UTC)
    if sending.speed > 1:
        return datetime.now(UTC) - (_DEFAULT_LEAD if time_limit is None else time_limit * (sending.speed - 1))
    return None


@contextmanager
def kept_in(path: Path | None, *, wanted: bool) -> Iterator[Receipts | None]:
    """How to go about receipts, if they are wanted; a file to keep in wants them."""
    with ExitStack() as held:
        file = None if path is None else held.enter_context(KeepFile(path))
        yield Receipts(file=file, say=warn) if wanted or file is not None else None


def require_taken(counts: Counts | None, unheard: int, acknowledged: int, file: Path | None) -> None:
    """Say so if not everything has arrived.

    :raises NegativeAnswer: there are messages without a receipt; or, sent without receipts, without a listener.
    """
    if counts is not None:
        if counts.kept:
            left = "are lost to this sender" if file is None else f"wait in {file} for the next run with it"
            raise NegativeAnswer(
                f"{counts.kept:,} messages have no receipt and {left}: no collector runs, its database does not answer, or"
                " it is behind. Look after it (pilotbed doctor), then send again: what is stored already stays once."
            )
    elif unheard:
        raise NegativeAnswer(
            f"{unheard:,} of {acknowledged:,} messages had no listener at the broker, so they are gone: no collector has ever"
            " connected there. Start one (pilotbed up), then send them again."
        )


def taken(acknowledged: int, unconfirmed: int) -> str:
    """What the broker said of the messages.

    >>> taken(1200, 0), taken(0, 7)
    ('1,200 acknowledged', '0 acknowledged, 7 at QoS 0, of which nobody says whether they arrived')
    """
    unsaid = f", {unconfirmed:,} at QoS 0, of which nobody says whether they arrived" if unconfirmed else ""
    return f"{acknowledged:,} acknowledged{unsaid}"


def shown(counts: Counts | None) -> str:
    """The counts for a line of text: nothing, or with a space before and a comma behind."""
    if counts is None:
        return ""
    former = f" ({counts.former:,} kept from before)" if counts.former else ""
    return f" {counts.receipted:,} receipted{former}, {counts.resent:,} resent,"


def duration(text: str) -> timedelta:
    """``90s``, ``10m``, ``2h`` as a span of time.

    :raises BadParameter: the text is none.
    """
    match = _DURATION.fullmatch(text.strip())
    if match is None or float(match[1]) <= 0:
        raise typer.BadParameter(f"--for {text!r} is no span of time: write it as in 90s, 10m or 2h")
    return timedelta(seconds=float(match[1]) * _SECONDS[match[2]])


def _plain(sent: Sent) -> dict[str, Any]:
    return {**asdict(sent), "start": sent.start.isoformat(), "until": sent.until.isoformat()}


@contextmanager
def progress_bar(description: str, total: int | None) -> Iterator[tuple[Progress, Any]]:
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


def warn(text: str) -> None:
    """One line on stderr."""
    print(f"pilotbed: {text}", file=sys.stderr)

"""Running the demo on the local stack: first what lies behind the pilots, then what comes in."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeElapsedColumn

from core.database import Connection, connected
from core.errors import EnvironmentProblem
from core.settings import Settings
from dashboards import users
from pilotbed.demo.documents import write_bundle, write_documents
from pilotbed.demo.heard import Expected
from pilotbed.demo.live import Devices
from pilotbed.demo.pilots import WHO, DemoPilot, register
from pilotbed.jobs import tasks
from pilotbed.jobs.sealing import sealer
from pilotbed.loader import load_history
from pilotbed.stack.account import temporary_folder
from pilotbed.stack.local import LocalStack
from pilotbed.stack.supervisor import Stopped
from telemetry.load import record_alive, tell_planner
from telemetry.summarise import pending, summarise

_WITHOUT_JOBS = ("serve", "collect")
"""What runs while history is loaded: jobs would judge half of it."""

_LIVE: Final = timedelta(hours=1)
"""So much at least of what lies behind the pilots goes through the broker, each in its protocol."""
_ARRIVE_WITHIN_S = 150.0
"""By then all of it has come the whole way into the store."""


def run_once(settings: Settings, out: Path, say: Callable[[str], None]) -> None:
    """The demo from an empty database to its documents in ``out``, without a person.

    :raises EnvironmentProblem: ``out`` cannot be written, or a simulated device was not heard.
    """
    try:
        out.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentProblem(f"{out} cannot be made ({error.strerror}): name another folder.") from error
    with temporary_folder("pilotbed-demo-") as folder:
        chosen = settings.model_copy(
            update={
                "data_dir": folder,
                "seal_key": None,
                "web_port": 0,
                "mqtt_port": 0,
                "database_port": 0,
                "host": "127.0.0.1",
            }
        )
        stack = LocalStack(chosen, programs=_WITHOUT_JOBS, say=say)
        failed: list[BaseException] = []

        def everything() -> None:
            try:
                say(f"Database: {stack.engine}.")
                with connected(stack.database_url, application="pilotbed-demo") as connection:
                    pilots = _prepare(stack, connection, folder, live=_LIVE)
                    _hear_each(stack, connection, pilots, say)
                    by = sealer(connection, chosen)
                    for pilot in pilots:
                        write_documents(connection, pilot.plan, out / pilot.plan.pilot, say)
                        write_bundle(connection, pilot.plan, out / pilot.plan.pilot, by, say)
            except Stopped:
                failed.append(KeyboardInterrupt())
            except BaseException as error:  # noqa: BLE001 - carried out of the callback, raised below
                failed.append(error)
            stack.ask_to_stop()

        stack.run(started=everything)
        if failed:
            raise failed[0]
    say(f"Opinions (PDF), evaluations (JSON) and verified evidence bundles (zip) are in {out}.")


def run(settings: Settings, say: Callable[[str], None]) -> None:
    """The demo until Ctrl-C; a later start goes on where it ended."""
    stack = LocalStack(settings, programs=_WITHOUT_JOBS, environment={"PILOTBED_JUDGE_MINUTES": "10"}, say=say)
    devices: list[Devices] = []

    def started() -> None:
        say(f"Database: {stack.engine}.")
        try:
            with connected(stack.database_url, application="pilotbed-demo") as connection:
                pilots = _prepare(stack, connection, settings.data_dir, live=timedelta(0))
                devices.append(Devices(pilots, say))
                devices[0].start()
                tasks.judge(connection)
                stack.add("work")
                passwords = _people(connection, stack.first_password, pilots)
        except Stopped:
            return
        for name, password in passwords.items():
            print(f"Log in as {name:10} password {password} (shown this once)")
        if not passwords:
            print("Log in as at the first start (admin, officer, company, committee). A new password, while this runs:")
            print(f"  PILOTBED_DATA_DIR={settings.data_dir} pilotbed user password officer")
        print(f"The demo runs at {stack.web_url} until Ctrl-C; its data are in {settings.data_dir}.", flush=True)

    try:
        stack.run(started=started)
    finally:
        for running in devices:
            running.stop()


def _prepare(stack: LocalStack, connection: Connection, folder: Path, *, live: timedelta) -> list[DemoPilot]:
    """Register the pilots, load what lies behind them up to their seam, summarise it."""
    pilots = register(connection, stack.mqtt_admin_url, stack.mqtt_address, folder, live=live)
    with _bars() as bars:
        for pilot in pilots:
            bar = bars.add_task(f"{pilot.plan.pilot}: 지난 자료 · history", total=1.0)

            def progress(done: float, bar: object = bar) -> None:
                stack.pause(0)
                stack.tend()
                bars.update(bar, completed=done)  # type: ignore[arg-type]

            load_history(connection, pilot.plan, pilot.site, pilot.seam, progress)
        tell_planner(connection)
        bar = bars.add_task("시간 집계 · summaries", total=max(1, pending(connection)))
        while made := summarise(connection):
            stack.pause(0)
            stack.tend()
            bars.advance(bar, made)
        tell_planner(connection)
    return pilots


def _hear_each(
    stack: LocalStack, connection: Connection, pilots: Sequence[DemoPilot], say: Callable[[str], None]
) -> None:
    """Let the devices speak over MQTT until all that came after the loaded history has come the whole way into the store."""
    expected = [Expected(pilot) for pilot in pilots]
    devices = Devices(pilots, say)
    devices.start()
    deadline = time.monotonic() + _ARRIVE_WITHIN_S
    try:
        waiting = list(expected)
        while waiting:
            if time.monotonic() > deadline:
                raise EnvironmentProblem(
                    f"{'; '.join(one.lack(connection) for one in waiting)}, within {_ARRIVE_WITHIN_S:.0f} s: look into the"
                    f" logs in {stack.directory.log}."
                )
            stack.pause(0.5)
            stack.tend()
            waiting = [one for one in waiting if not one.has_come(connection)]
    finally:
        devices.stop()
    for one in expected:
        # All that the site told has come: where it told nothing, the platform was not away.
        record_alive(connection, one.pilot, one.window)
        say(one.told())


def _people(connection: Connection, admin_password: str | None, pilots: Sequence[DemoPilot]) -> dict[str, str]:
    """One person of each role, made at the first start: name → password."""
    if admin_password is None:
        return {}
    sites = sorted({pilot.plan.site.id for pilot in pilots})
    names = [pilot.plan.pilot for pilot in pilots]
    return {
        "admin": admin_password,
        "officer": users.add(connection, name="officer", role="officer", sites=sites, who=WHO),
        "company": users.add(
            connection, name="company", role="company", companies=[pilots[0].plan.company.id], who=WHO
        ),
        "committee": users.add(connection, name="committee", role="committee", pilots=names, who=WHO),
    }


@contextmanager
def _bars() -> Iterator[Progress]:
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(file=sys.stderr)) as bars:
        yield bars

"""Registering the demo's pilots: their plans as of the first start, their credentials kept for the next ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from core.database import Connection
from devices.broker import Broker
from devices.plan.credential_file import CredentialFile, read_credentials, write_credentials
from devices.plan.model import Plan
from devices.plan.reader import read_plan
from devices.registry import apply_plan, issue_credential, pilots, plan_of
from simulators.access import logins
from simulators.demo import DEMO_SCENARIOS, demo_plans
from simulators.publisher import Login
from simulators.scenario import Scenario
from simulators.site import Site

WHO = "system:demo"


@dataclass(frozen=True, slots=True, kw_only=True)
class DemoPilot:
    """One pilot of the demo, ready to be loaded and to speak."""

    plan: Plan
    scenario: Scenario
    logins: Mapping[str, Login]
    seam: datetime
    """Up to here its history is loaded; what came after it goes through the broker."""

    @property
    def site(self) -> Site:
        """What its site tells."""
        return Site(self.scenario)


def register(
    connection: Connection, broker_url: str, address: str, folder: Path, *, live: timedelta
) -> list[DemoPilot]:
    """The demo's pilots, registered at the first start and found again at later ones.

    :param broker_url: the broker with the registry's user; ``address`` is where devices reach it.
    :param folder: where their credential files lie, readable for their owner only.
    :param live: so much of what lies behind them goes through the broker at least, with a mission or flight of each slot
        where they have them; zero: only what is under way just now.
    :raises BrokerAway: the broker cannot be told of them.
    """
    there = {pilot.name for pilot in pilots(connection)}
    texts = demo_plans(datetime.now(UTC).date())
    with Broker(broker_url) as broker:
        return [
            _pilot(connection, broker, address, folder, name, texts[name], there=name in there, live=live)
            for name in DEMO_SCENARIOS
        ]


def _pilot(
    connection: Connection,
    broker: Broker,
    address: str,
    folder: Path,
    name: str,
    text: str,
    *,
    there: bool,
    live: timedelta,
) -> DemoPilot:
    path = folder / f"{name}.credentials.json"
    if not there:
        path.unlink(missing_ok=True)  # of a demo whose database is gone
        credentials = apply_plan(connection, read_plan(text.encode()), who=WHO, broker=broker).credentials
    elif not path.exists():
        plan, _, _ = plan_of(connection, name)
        names = {plan.connection_of(slot)[0] for slot in plan.slots}
        credentials = tuple(
            issue_credential(connection, name, connection_name, who=WHO, broker=broker)
            for connection_name in sorted(names)
        )
    else:
        credentials = ()
    if credentials:
        write_credentials(path, CredentialFile(broker=address, pilot=name, connections=credentials))
    plan, _, _ = plan_of(connection, name)
    file = read_credentials(path)
    return DemoPilot(
        plan=plan,
        scenario=DEMO_SCENARIOS[name],
        logins=logins(file, plan, broker=address),
        seam=_seam(DEMO_SCENARIOS[name], plan, live),
    )


def _seam(scenario: Scenario, plan: Plan, live: timedelta) -> datetime:
    """Where a site that begins to speak misses nothing that is under way: a mission of which only the end is heard is not the
    one whose start was loaded.
    """
    now = datetime.now(UTC)
    begun = scenario.last_begun(plan, now) if live else now
    return scenario.quiet(plan, max(plan.window.start, min(now - live, begun)))

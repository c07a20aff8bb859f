"""A web site over a database of a test's own, with pilots, people and a judged month: for the tests of pages."""

from __future__ import annotations

import atexit
import hashlib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import httpx
import numpy as np
from fastapi import FastAPI

from core.database import Connection, pool
from core.window import micros
from dashboards import users
from dashboards.app import create_app
from dashboards.server import listening, server
from dashboards.sessions import Sessions
from dashboards.site import Site
from devices.plan.reader import read_plan
from devices.registry import apply_plan
from ingest.reasons import REASONS
from kpi.evaluate import evaluate
from kpi.results import store
from telemetry.batch import Batch, QuarantinedMessage, Readings, RejectedItem
from telemetry.channels import channel
from telemetry.commit import Committer

PASSWORD = "a-password-for-tests"
KEY = "a-session-key-for-tests"

PLAN = """\
pilot: {pilot}
title: {title}
kind: rnd
simulated: {simulated}
company: {{id: {company}, name: (주){company}}}
site: {{id: {site}, name: {site} 역}}
period: {{start: {start}, end: {end}, timezone: Asia/Seoul}}
evaluation: {{data_until: {until}, meeting: {until}}}
product: {{name: 환기 장치}}
slots:
  platform-1:
    place: 승강장 중앙
    device: {{serial: "{pilot}-1", model: CA-200, firmware: "1.4.2"}}
    channels:
      pm25: {{name: 초미세먼지, unit: ug/m^3, source: air.pm25, period: 60 s, range: [0, 1000]}}
      mode: {{kind: state, states: [off, auto], reporting: on_change}}
kpis:
  pm25-limit:
    name: 초미세먼지 기준 유지율
    definition: 기준 이하로 유지된 시간의 비율
    measure: {{share: {{of: time, while: {{channel: pm25, value: "<= 35 ug/m^3"}}}}}}
    target: ">= 95 %"
    weight: 60
    required: true
  uptime:
    name: 장비 가동률
    measure: {{availability: {{}}}}
    target: ">= 99 %"
    weight: 40
"""


def plan_text(pilot: str, *, site: str = "cityhall", company: str = "cleanair", title: str = "", days: int = 3) -> str:
    """A plan that began some days ago in Seoul and runs for a year."""
    start = (datetime.now(UTC) + timedelta(hours=9)).date() - timedelta(days=days)
    return PLAN.format(
        pilot=pilot, site=site, company=company, title=title or f"{pilot} 실증", simulated="false",
        start=start, end=start + timedelta(days=365), until=start + timedelta(days=330),
    )  # fmt: skip


def apply(connection: Connection, text: str) -> None:
    """Register a plan."""
    apply_plan(connection, read_plan(text.encode()), who="cli:test")


def feed(connection: Connection, pilot: str, *, hours: float = 30, value: float = 12.0) -> None:
    """A reading a minute up to now, through the store's own way in."""
    info = channel(connection, pilot, "platform-1", "pm25")
    end = micros(datetime.now(UTC)) // 60_000_000 * 60_000_000
    at = end - np.arange(int(hours * 60))[::-1] * 60_000_000
    readings = Readings(
        channel_id=[info.channel_ids[-1]] * len(at),
        observed_us=at.tolist(),
        value=(value + np.sin(np.arange(len(at)) / 40)).tolist(),
        flags=[0] * len(at),
    )
    Committer().commit(connection, Batch(readings=readings))


def judge_month(connection: Connection, pilot: str, day: date | None = None) -> str:
    """Evaluate the running month of Seoul and keep the result."""
    month = (day or (datetime.now(UTC) + timedelta(hours=9)).date()).strftime("%Y-%m")
    store(connection, evaluate(connection, pilot, month=month), who="cli:test")
    return month


PEOPLE = {
    "admin": ("admin", {}),
    "officer": ("officer", {"sites": ["cityhall"]}),
    "officer-elsewhere": ("officer", {"sites": ["harbour"]}),
    "company": ("company", {"companies": ["cleanair"]}),
    "company-elsewhere": ("company", {"companies": ["rival"]}),
    "committee": ("committee", {"pilots": ["air"]}),
    "committee-elsewhere": ("committee", {"pilots": ["harbour-air"]}),
}
"""Name → role and scope. Those without ``elsewhere`` see the pilot ``air``."""


def people(connection: Connection) -> None:
    """Everybody of :data:`PEOPLE`, with one password: hashing it once is slow enough."""
    for place, (name, (role, scope)) in enumerate(PEOPLE.items()):
        if place == 0:
            users.add(connection, name=name, role=role, password=PASSWORD, who="cli:test", **scope)
            continue
        connection.execute(
            "INSERT INTO person (name, role, password, sites, companies, pilots)"
            " SELECT %s, %s, password, %s, %s, %s FROM person LIMIT 1",
            [name, role, scope.get("sites", []), scope.get("companies", []), scope.get("pilots", [])],
        )


@cache
def cache_folder() -> Path:
    """Where the run keeps the chart library: making it takes seconds."""
    folder = Path(tempfile.mkdtemp(prefix="pilotbed-test-web-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


@dataclass(frozen=True, slots=True, kw_only=True)
class Web:
    """A running application, and browsers to ask it with."""

    app: FastAPI
    address: str

    @contextmanager
    def visitor(self, *, origin: str = "192.0.2.7", scheme: str = "http") -> Iterator[httpx.Client]:
        """A browser of its own: no cookies yet, and from elsewhere, as a proxy in front would say."""
        headers = {"x-forwarded-for": origin, "x-forwarded-proto": scheme}
        with httpx.Client(base_url=self.address, headers=headers, timeout=30) as browser:
            yield browser

    @contextmanager
    def logged_in(self, name: str, password: str = PASSWORD) -> Iterator[httpx.Client]:
        """A browser in which somebody is logged in."""
        with self.visitor() as browser:
            answer = log_in(browser, name, password)
            assert answer.status_code == 303, answer.text
            yield browser


def log_in(browser: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    """Fill in the log-in form and send it."""
    token = form_token(browser.get("/login").text)
    return browser.post("/login", data={"name": name, "password": password, "form_token": token, **more})


@contextmanager
def web(database_url: str) -> Iterator[Web]:
    """The application over a database, on a server of its own."""
    site = Site(
        pool=pool(database_url, application="pilotbed-test-web", max_size=4),
        sessions=Sessions(KEY),
        folder=cache_folder(),
        reasons=REASONS,
        mqtt_address="127.0.0.1:18830",
    )
    app = create_app(site)
    ours = listening("127.0.0.1", 0)
    running = server(app)
    thread = threading.Thread(target=running.run, kwargs={"sockets": [ours]}, name="web")
    thread.start()
    try:
        until = time.monotonic() + 20
        while not running.started and thread.is_alive() and time.monotonic() < until:
            time.sleep(0.01)
        assert running.started
        yield Web(app=app, address=f"http://127.0.0.1:{ours.getsockname()[1]}")
    finally:
        running.should_exit = True
        thread.join(20)
        ours.close()


@contextmanager
def web_of_air(database_url: str, connection: Connection) -> Iterator[Web]:
    """The same with the pilot ``air``, of which nothing was received yet, and everybody of :data:`PEOPLE`."""
    apply(connection, plan_text("air"))
    people(connection)
    with web(database_url) as running:
        yield running


class Page(HTMLParser):
    """What a checker of accessibility and of the content security policy looks at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.inline: list[str] = []
        self._script = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.tags.append((tag, given))
        self.inline += [f"{tag} {name}" for name in given if name == "style" or name.startswith("on")]
        if tag == "style" or (tag == "script" and not given.get("src")):
            self.inline.append(tag)

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [given for tag, given in self.tags if tag == name]


def refuse(connection: Connection, payload: bytes, value: str) -> None:
    """A message set aside and a value refused, both with what a sender could have put there."""
    row = connection.execute("SELECT connection_id, slot_id FROM slot JOIN connection USING (connection_id)").fetchone()
    assert row is not None
    Committer().commit(
        connection,
        Batch(
            delivered={row["connection_id"]: 1},
            payload_bytes={row["connection_id"]: len(payload)},
            quarantined=[
                QuarantinedMessage(
                    connection_id=row["connection_id"], topic="pilots/air/platform-1/readings", reason="not_json",
                    detail="", payload=payload, payload_bytes=len(payload),
                    payload_sha256=hashlib.sha256(payload).hexdigest(),
                )
            ],
            rejected=[
                RejectedItem(
                    slot_id=row["slot_id"], topic="pilots/air/platform-1/readings", item="pm25",
                    observed="2036-01-01T00:00:00Z", value=value, reason="in_future", detail="",
                )
            ],
        ),
    )  # fmt: skip


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "input" and given.get("name"):
            self.found[str(given["name"])] = given.get("value") or ""


def form_token(page: str) -> str:
    """The hidden token of a page's form."""
    inputs = _Inputs()
    inputs.feed(page)
    return inputs.found["form_token"]

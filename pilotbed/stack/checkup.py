"""What the machine has and lacks, as findings."""

from __future__ import annotations

import platform
import shutil
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal

import psycopg
from pydantic import SecretStr

from core.database import Connection, connected, first_line, shown
from core.errors import PilotbedError
from core.migrate import engine
from core.settings import Settings
from core.tls import client_context
from pilotbed.stack.account import barrier, child_account
from pilotbed.stack.broker_tls import tls_of
from pilotbed.stack.data_directory import LEAST_FREE_BYTES, DataDirectory
from pilotbed.stack.mosquitto_binaries import BOUNDED, find_plugin, find_program, how_to_get, program_version
from pilotbed.stack.ports import is_free
from pilotbed.stack.postgres_binaries import find_binaries
from telemetry import storage

Outcome = Literal["ok", "warning", "missing"]

_CHROMIUMS: Final = ("chromium", "chromium-browser", "google-chrome")
_CHROMIUM_APPLICATIONS: Final = ("/Applications/Chromium.app", "/Applications/Google Chrome.app")


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    outcome: Outcome
    """``missing``: nothing runs without it; ``warning``: it runs, with the limit that ``found`` states."""
    found: str
    advice: str = ""
    """What to do, in one line; empty where nothing is to be done."""


def findings(settings: Settings) -> list[Finding]:
    """Everything that was looked at, in the order of dependence."""
    embedded_database, embedded_broker = settings.database_url is None, settings.mqtt_url is None
    checks: list[Callable[[], Finding]] = [_python]
    checks += [lambda: _postgres(settings)] if embedded_database else [lambda: _database(settings)]
    if embedded_broker:
        checks += [lambda: _mosquitto(settings), lambda: _plugin(settings)]
    checks += [lambda: _broker_log(settings), lambda: _encryption(settings)]
    checks += [lambda: _data_directory(settings), lambda: _space(settings), _fonts, _chromium]
    return [*(check() for check in checks), *_ports(settings)]


def _python() -> Finding:
    # An older one cannot read this file.
    return Finding(subject="Python", outcome="ok", found=f"{platform.python_version()} ({sys.executable})")


def _postgres(settings: Settings) -> Finding:
    try:
        binaries = find_binaries(settings.postgres_bin)
    except PilotbedError as problem:
        return Finding(subject="PostgreSQL", outcome="missing", found="not found", advice=str(problem))
    kind = "with TimescaleDB" if binaries.timescaledb else "plain, without TimescaleDB"
    return Finding(subject="PostgreSQL", outcome="ok", found=f"{binaries.version} embedded, {kind}")


def _database(settings: Settings) -> Finding:
    assert settings.database_url is not None
    url = settings.database_url.get_secret_value()
    try:
        with connected(url, application="pilotbed-doctor") as connection:
            found = storage_finding(connection)
    except PilotbedError as problem:
        return Finding(subject="Database", outcome="missing", found=shown(url), advice=str(problem))
    return replace(found, found=f"{found.found}, at {shown(url)}")


def storage_finding(connection: Connection) -> Finding:
    """Which engine a database is, and how it keeps readings."""
    try:
        found = storage.describe(connection)
    except psycopg.errors.UndefinedFunction:
        name = str(engine(connection))
        return Finding(
            subject="Database",
            outcome="warning",
            found=f"{name}, of another version",
            advice="`pilotbed migrate` brings it up",
        )
    except psycopg.Error as error:
        return Finding(subject="Database", outcome="missing", found=first_line(error), advice="let this user read it")
    if found.engine.timescaledb is None:
        text = f"{found.engine}: 108 bytes a reading with its key, fit for about 100 million"
        return Finding(subject="Database", outcome="ok", found=text)
    text = f"{found.engine}; {found.by_column} of {found.chunks} chunks by column"
    if found.bytes_after:
        text += f", {found.bytes_before / 1e6:.1f} MB in {found.bytes_after / 1e6:.1f} MB"
    if found.policy is None:
        return Finding(
            subject="Database", outcome="warning", found=f"{text}; no policy moves them there",
            advice="start `pilotbed work`: it sets one by PILOTBED_COLUMNSTORE_AFTER_DAYS",
        )  # fmt: skip
    text += f"; the policy moves a chunk there after {found.policy.after.days} days"
    if not found.policy.scheduled or found.policy.last_status == "Failed":
        why = "is switched off" if not found.policy.scheduled else "failed the last time"
        return Finding(
            subject="Database", outcome="warning", found=f"{text}, but {why}",
            advice="see timescaledb_information.job_errors in the database",
        )  # fmt: skip
    return Finding(subject="Database", outcome="ok", found=text)


def _mosquitto(settings: Settings) -> Finding:
    try:
        program = find_program(settings.mosquitto)
        version = program_version(program)
    except PilotbedError as problem:
        return Finding(subject="Mosquitto", outcome="missing", found="not found", advice=str(problem))
    text = ".".join(map(str, version))
    if version < (2, 0):
        return Finding(subject="Mosquitto", outcome="missing", found=text, advice=f"2.0 is needed: {how_to_get()}")
    if version < BOUNDED:
        return Finding(
            subject="Mosquitto",
            outcome="warning",
            found=f"{text} ({program}): before 2.0.22 Receive Maximum does not bound a collector's memory",
            advice="nothing is needed: the collector disconnects at PILOTBED_HIGH_WATER_MESSAGES; a newer one is better",
        )
    return Finding(subject="Mosquitto", outcome="ok", found=f"{text} ({program})")


def _plugin(settings: Settings) -> Finding:
    subject = "Dynamic security plugin"
    try:
        plugin = find_plugin(find_program(settings.mosquitto), settings.mosquitto_plugin)
    except PilotbedError as problem:
        return Finding(subject=subject, outcome="missing", found="not found", advice=str(problem))
    return Finding(subject=subject, outcome="ok", found=str(plugin))


def _broker_log(settings: Settings) -> Finding:
    subject = "Broker's log"
    log = settings.broker_log
    if log is None and settings.mqtt_url is None:
        return Finding(subject=subject, outcome="ok", found="the embedded broker's, read by the jobs of `pilotbed up`")
    if log is None:
        return Finding(
            subject=subject,
            outcome="warning",
            found="nobody reads it: what the broker denied or did not let in is not shown to companies",
            advice="set PILOTBED_BROKER_LOG for `pilotbed work` (docs/compose.md)",
        )
    try:
        with log.open("rb"):
            pass
    except OSError as error:
        return Finding(
            subject=subject,
            outcome="warning",
            found=f"{log}: {error.strerror}",
            advice="let this user read it, or correct PILOTBED_BROKER_LOG",
        )
    return Finding(subject=subject, outcome="ok", found=f"{log}, read by `pilotbed work`")


def _encryption(settings: Settings) -> Finding:
    subject = "TLS to the broker"
    try:
        ours = tls_of(settings)
        if ours is not None:
            ours.require_usable()
        client_context(settings)
    except PilotbedError as problem:
        return Finding(subject=subject, outcome="missing", found="files that are not usable", advice=str(problem))
    if settings.mqtt_url is not None:
        by_tls = settings.mqtt_url.get_secret_value().startswith("mqtts://")
        return Finding(subject=subject, outcome="ok", found="yes" if by_tls else "no: PILOTBED_MQTT_URL is mqtt://")
    if ours is None:
        return Finding(subject=subject, outcome="ok", found="no: PILOTBED_BROKER_CERTIFICATE is not set")
    asked = ", and they need a certificate of their own" if ours.client_ca is not None else ""
    return Finding(subject=subject, outcome="ok", found=f"devices reach it by TLS only{asked}")


def _data_directory(settings: Settings) -> Finding:
    path = settings.data_dir.absolute()
    try:
        account = child_account()
    except PilotbedError as problem:
        return Finding(subject="Data directory", outcome="missing", found=str(path), advice=str(problem))
    closed = barrier(path, account)
    if closed is not None and account is not None:
        return Finding(
            subject="Data directory",
            outcome="missing",
            found=f"{path}: {closed} is closed to the user {account.name}, as which the servers run",
            advice="set PILOTBED_DATA_DIR to a folder elsewhere",
        )
    as_whom = "" if account is None else f", servers run as {account.name}"
    state = "in use by a running stack" if DataDirectory(path).lock.is_held() else "not in use"
    return Finding(subject="Data directory", outcome="ok", found=f"{path} ({state}{as_whom})")


def _space(settings: Settings) -> Finding:
    there = next(
        path for path in [settings.data_dir.absolute(), *settings.data_dir.absolute().parents] if path.exists()
    )
    free = shutil.disk_usage(there).free
    found = f"{free / 1e9:.1f} GB free under {there}"
    if free < LEAST_FREE_BYTES:
        return Finding(
            subject="Disk space",
            outcome="missing",
            found=found,
            advice=f"make at least {LEAST_FREE_BYTES / 1e9:.1f} GB free, or set PILOTBED_DATA_DIR to another disk",
        )
    if free < 10 * LEAST_FREE_BYTES:
        return Finding(
            subject="Disk space",
            outcome="warning",
            found=found,
            advice="a reading takes about 110 bytes: 100 million need 11 GB",
        )
    return Finding(subject="Disk space", outcome="ok", found=found)


def _fonts() -> Finding:
    spec = find_spec("koreanize_matplotlib")
    places = list(spec.submodule_search_locations or []) if spec is not None else []
    fonts = [font for place in places for font in Path(place).rglob("NanumGothic*.ttf")]
    if not fonts:
        return Finding(
            subject="Korean font",
            outcome="missing",
            found="the package koreanize-matplotlib holds none",
            advice="`make setup` installs it",
        )
    return Finding(subject="Korean font", outcome="ok", found=f"NanumGothic, {len(fonts)} files, for the documents")


def _chromium() -> Finding:
    found = next((path for name in _CHROMIUMS if (path := shutil.which(name))), None)
    found = found or next((place for place in _CHROMIUM_APPLICATIONS if Path(place).is_dir()), None)
    if found is None:
        advice = "brew install --cask chromium" if sys.platform == "darwin" else "apt-get install chromium"
        return Finding(
            subject="Chromium", outcome="warning", found="not found: only the browser tests need it", advice=advice
        )
    return Finding(subject="Chromium", outcome="ok", found=f"{found} (only the browser tests need it)")


def _ports(settings: Settings) -> Iterator[Finding]:
    running = DataDirectory(settings.data_dir).lock.is_held()
    wanted = [("Web port", settings.web_port, "PILOTBED_WEB_PORT")]
    if settings.mqtt_url is None:
        wanted.append(("MQTT port", settings.mqtt_port, "PILOTBED_MQTT_PORT"))
    for subject, port, setting in wanted:
        if port == 0:
            yield Finding(subject=subject, outcome="ok", found="0: a free one is taken at each start")
            continue
        try:
            free = is_free(settings.host, port)
        except PilotbedError as problem:
            yield Finding(subject=subject, outcome="missing", found=f"{settings.host}:{port}", advice=str(problem))
            continue
        if free or running:
            state = "free" if free else "in use, a stack runs on the data directory"
            yield Finding(subject=subject, outcome="ok", found=f"{port} ({state})")
        else:
            yield Finding(
                subject=subject,
                outcome="missing",
                found=f"{port} is in use by another program",
                advice=f"stop that program, or set {setting} to another port",
            )


@dataclass(frozen=True, slots=True, kw_only=True)
class SettingShown:
    """One setting as a person may see it."""

    variable: str
    value: str
    """Never a secret."""
    given: bool
    """Whether somebody set it."""
    description: str


def settings_shown(settings: Settings) -> list[SettingShown]:
    """Every setting, with secrets masked."""
    rows = []
    for name, field in Settings.model_fields.items():
        value = getattr(settings, name)
        plain = "-" if value is None else str(value)
        text = "(set, not shown)" if isinstance(value, SecretStr) else plain
        rows.append(
            SettingShown(
                variable=f"PILOTBED_{name.upper()}",
                value=text,
                given=name in settings.model_fields_set,
                description=field.description or "",
            )
        )
    return rows

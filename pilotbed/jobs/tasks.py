"""The jobs themselves, each a function over a connection; what runs them when is in :mod:`pilotbed.jobs.worker`."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

from core.audit import changed, record
from core.database import Connection
from core.settings import settings
from core.sql import load
from core.window import midnight, month_window, months
from devices import journal
from devices.plan.model import Plan
from devices.registry import pilots, plan_of
from kpi.evaluate import evaluate, looks
from kpi.left_out import findings_due
from kpi.results import Standing, newest, outdated, standing, store
from pilotbed.stack.checkup import settings_shown
from telemetry import clock, reconcile, retention, storage
from telemetry.quality import judge as quality
from telemetry.quality import silence
from telemetry.summarise import summarise_all

_SQL = load("pilotbed.jobs", "tasks.sql")
_log = logging.getLogger(__name__)

WHO = "system:work"

_looked_at: dict[tuple[str, str, str], datetime] = {}
"""When this process last judged a result: one that comes out the same makes no new version, whose ``as_of`` would tell."""

_QUALITY_S = 40.0
"""So long at a time hours are judged for quality where many wait, as after a load: other jobs want their turn."""

_DAYS_COMPARED = 3
"""A night and pilot: yesterday, and two older ones."""

_KEEP_DENIALS = timedelta(days=400)
"""Longer than a pilot: so long somebody may ask why nothing came."""


def keep_summaries(connection: Connection) -> None:
    """Make the summaries of closed hours that got readings."""
    made = summarise_all(connection)
    if made:
        _log.info("summarised channel_hours=%d", made)


def judge_clocks(connection: Connection, now: datetime | None = None) -> None:
    """Judge the devices' clocks of every pilot that runs, or ended so lately that its last hours may still change."""
    now = now or datetime.now(UTC)
    for pilot in pilots(connection):
        if pilot.window.start <= now < pilot.window.end + clock.SPAN:
            done = clock.judge(connection, pilot.name, now)
            if done.new or done.superseded:
                _log.info("judged_clocks pilot=%s new=%d superseded=%d", pilot.name, done.new, done.superseded)


def judge_quality(connection: Connection) -> None:
    """Judge the readings of hours that were summarised since."""
    done = quality.judge_all(connection, most_s=_QUALITY_S)
    if done.hours:
        _log.info(
            "judged_quality channel_hours=%d readings=%d new=%d superseded=%d",
            done.hours,
            done.readings,
            done.new,
            done.superseded,
        )


def judge_silence(connection: Connection, now: datetime | None = None) -> None:
    """Judge what channels did not say up to the last closed hour, of every pilot that runs or ended within a day."""
    now = now or datetime.now(UTC)
    for pilot in pilots(connection):
        if pilot.window.start <= now < pilot.window.end + timedelta(days=1):
            done = silence.judge_ends(connection, pilot.name, quality.closed(now))
            if done.new or done.superseded:
                _log.info("judged_silence pilot=%s new=%d superseded=%d", pilot.name, done.new, done.superseded)


def judge(connection: Connection, now: datetime | None = None, *, every: timedelta = timedelta(0)) -> None:
    """Evaluate what may have changed of every pilot: months and evaluation dates that are not final yet.

    :param every: a result is judged again when it is older than this. A result that differs is a new version, kept for
        good, so a running month is not judged with every reading.
    """
    now = now or datetime.now(UTC)
    known: dict[str, dict[tuple[str, str], Standing]] = {}
    for name, plan, kind, label in _questions(connection, now):
        if name not in known:
            known[name] = standing(connection, name)
        result = known[name].get((kind, label))
        if result is not None:
            looked = max(result.as_of, _looked_at.get((name, kind, label), result.as_of))
            if not result.provisional or looked + every > now:
                continue
        _judge(connection, name, plan, label)
        _looked_at[name, kind, label] = now


def judge_late(connection: Connection, now: datetime | None = None) -> None:
    """Evaluate again what was final, where something it rests on came or was recorded since: a new version with its cause."""
    for name, plan, kind, label in _questions(connection, now or datetime.now(UTC)):
        result = newest(connection, name, kind, label)
        if result is None or result.document["provisional"]:
            continue
        if outdated(connection, result):
            _judge(connection, name, plan, label)


def _questions(connection: Connection, now: datetime) -> Iterator[tuple[str, Plan, str, str]]:
    """What can be asked of every pilot by now: its name, plan, and the kind and label of each result.

    Nothing of one whose readings retention has deleted: its results stay as they are.
    """
    for pilot in pilots(connection):
        if retention.retired_since(connection, pilot.name) is not None:
            continue
        plan, _, _ = plan_of(connection, pilot.name)
        today = now.astimezone(plan.zone).date()
        for month in months(plan.period.start, min(plan.period.end, today + timedelta(days=1))):
            yield pilot.name, plan, "month", month
        for day in looks(plan):
            if day <= today:
                yield pilot.name, plan, "final" if day == plan.evaluation.data_until else "date", day.isoformat()


def _judge(connection: Connection, pilot: str, plan: Plan, label: str) -> None:
    days = {day.isoformat(): day for day in looks(plan)}
    end = midnight(days[label], plan.zone) if label in days else month_window(label, plan.zone).end
    waiting = findings_due(connection, plan, end)
    found = evaluate(connection, pilot, at=days[label]) if label in days else evaluate(connection, pilot, month=label)
    if waiting and not found.document["provisional"]:
        # What is final waits for the findings by which it leaves readings out; asked about again with the next round.
        _log.info("final_waits_for_quality pilot=%s label=%s channel_hours=%d", pilot, label, waiting)
        return
    store(connection, found, who=WHO)


def prune(connection: Connection) -> None:
    """Drop raw messages older than each pilot's plan keeps them, finished jobs of the queue, and old denials.

    Readings are not touched here: they stay until a pilot's period and retention are over.
    """
    retention.drop_raw(connection, who=WHO)
    connection.execute(_SQL["drop_jobs"])
    journal.forget(connection, datetime.now(UTC) - _KEEP_DENIALS)


def retain(connection: Connection) -> None:
    """Delete what was received of pilots whose period and retention are over."""
    for one in retention.retire(connection, who=WHO):
        _log.info(
            "past_retention pilot=%s readings=%d beside=%d chunks=%d", one.pilot, one.readings, one.beside, one.chunks
        )


def compare_summaries(connection: Connection, now: datetime | None = None) -> None:
    """Compare some days' summaries with their readings, of every pilot: the days never compared, then those longest ago."""
    now = now or datetime.now(UTC)
    for pilot in pilots(connection):
        for day in reconcile.days_due(connection, pilot.name, now, _DAYS_COMPARED):
            found = reconcile.reconcile(connection, pilot.name, day, who=WHO)
            if found.differences:
                _log.error("summaries_repaired pilot=%s day=%s hours=%d", pilot.name, day, len(found.differences))


def keep_storage(connection: Connection) -> None:
    """Have TimescaleDB keep older readings by column, as the settings say."""
    after = timedelta(days=settings().columnstore_after_days)
    if storage.keep_policy(connection, after):
        now_so = {"columnstore_after_days": after.days}
        record(connection, who=WHO, what="storage.policy", object="readings", after=now_so)
        _log.info("kept_by_column after_days=%d", after.days)


def note_settings(connection: Connection) -> None:
    """Say in the audit log which settings are others than at the last start. Secrets are said to be set, and no more."""
    shown = {one.variable: one.value for one in settings_shown(settings()) if one.given}
    if changed(connection, who=WHO, what="settings.change", object="settings of work", now=shown):
        _log.info("settings_changed")

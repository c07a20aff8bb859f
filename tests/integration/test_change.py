"""Changes against a baseline: files, own windows, pairs of days, degree days, controls. Every number is worked out here again."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import numpy as np
import pytest

from core.database import Connection
from core.errors import PermanentError
from core.window import micros, midnight
from kpi.evaluate import evaluate
from kpi.records.baselines import add_baseline, baselines, content_of
from tests.changing import METER, SEOUL, hourly_file, sha256
from tests.evaluated import Site, hours, made_site

START, END = date(2025, 3, 1), date(2025, 11, 1)
BEFORE = (date(2024, 3, 1), date(2025, 3, 1))


def measured(text: str, target: str = "<= -10 %", more: str = "") -> str:
    return f'k: {{name: K, measure: {{change: {text}}}, target: "{target}"{more}}}'


def filed(content: bytes, of: str, *, more: str = "", unit: str = "kWh", column: str = "kWh", target: str = "<= -10 %",
          window: tuple[date, date] = BEFORE, zone: str = "zone: Asia/Seoul", rest: str = "") -> str:  # fmt: skip
    extra = f", {zone}" if zone else ""
    baseline = (
        f"{{file: meter.csv, sha256: {sha256(content)}, window: [{window[0]}, {window[1]}], value: {column},"
        f" unit: {unit}{extra}{more}}}"
    )
    return measured(f"{{of: {of}, baseline: {baseline}{rest}}}", target)


def final(connection: Connection) -> dict[str, Any]:
    found: dict[str, Any] = evaluate(connection, "hall", final=True).document["kpis"][0]
    return found


def heard(site: Site, channel: str, values: Any, slot: str = "a", start: date = START, end: date = END) -> None:
    at_us = hours(start, end)
    site.heard(slot, channel, at_us, np.broadcast_to(values, len(at_us)))


def test_energy_against_a_file_is_told_by_the_day(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda at: 10.0 + (at.hour >= 12))
    site = made_site(connection, filed(content, "{integral: power}", target="<= -20 %"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    found = final(connection)
    assert found["value"] == pytest.approx(100 * (8.0 / 10.5 - 1), abs=1e-9)
    assert (found["verdict"], found["unit"]) == ("met", "%")
    assert found["change"]["baseline"]["sha256"] == sha256(content)
    assert found["why"]["ko"] and "%" in found["why"]["en"]


def test_a_before_and_after_inside_the_pilot_leaves_the_baselines_days_out(connection: Connection) -> None:
    text = measured("{of: {statistic: {channel: trip, stat: mean}}, baseline: {window: [2025-03-01, 2025-05-01]}}")
    site = made_site(connection, text, slot=METER)
    heard(site, "trip", 600.0, end=date(2025, 5, 1))
    heard(site, "trip", 480.0, start=date(2025, 5, 1))
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0)
    assert found["change"]["baseline"] == {
        "form": "window", "window": ["2025-03-01", "2025-05-01"], "source": None,
    }  # fmt: skip


def _pair(day: date) -> date | None:
    """The counterpart by the rule, written here once more: ISO week and weekday of the year before."""
    year, week, weekday = day.isocalendar()
    try:
        found = date.fromisocalendar(year - 1, week, weekday)
    except ValueError:
        return None
    return found if BEFORE[0] <= found < BEFORE[1] else None


def test_days_are_paired_by_week_and_weekday_without_public_holidays(connection: Connection) -> None:
    import holidays as library

    feasts = library.country_holidays("KR", years=[2024, 2025])
    rng = np.random.default_rng(1)
    before = {BEFORE[0] + timedelta(days=i): float(v) for i, v in enumerate(rng.normal(600, 60, 365))}
    after = {START + timedelta(days=i): float(v) for i, v in enumerate(rng.normal(500, 60, (END - START).days))}
    content = hourly_file(*BEFORE, lambda at: before[at.date()], head="when,trip")
    of = "{statistic: {channel: trip, stat: mean}}"
    text = filed(
        content, of, unit="s", column="trip", more=", time: when", rest=", pair: {weekday: true, holidays: KR}"
    )
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "trip", [after[START + timedelta(days=i // 24)] for i in range(24 * (END - START).days)])
    found = final(connection)
    pairs = [(after[d], before[p]) for d in after if (p := _pair(d)) and d not in feasts and p not in feasts]
    expected = 100 * (np.mean([a for a, _ in pairs]) / np.mean([b for _, b in pairs]) - 1)
    assert found["value"] == pytest.approx(expected, abs=1e-9)
    assert found["n"] == len(pairs) == found["facts"]["days"]
    assert found["change"]["left_out"] == {"holiday": len(after) - len(pairs)}
    assert found["change"]["holidays"]["days"]["2025-10-06"] == "추석"
    assert "공휴일" in found["why"]["ko"] and "public holidays" in found["why"]["en"]


def test_a_day_of_week_53_has_no_counterpart_and_is_counted(connection: Connection) -> None:
    content = hourly_file(date(2019, 3, 1), date(2020, 3, 1), lambda _: 600.0, head="time,trip")
    text = filed(
        content, "{statistic: {channel: trip, stat: mean}}", unit="s", column="trip", rest=", pair: {weekday: true}",
        window=(date(2019, 3, 1), date(2020, 3, 1)),
    )  # fmt: skip
    dates = {"start": "2020-03-01", "end": "2021-03-01", "interim": "2020-06-01", "until": "2021-02-01"}
    site = made_site(connection, text, slot=METER, now=datetime(2020, 1, 1, tzinfo=UTC), **dates)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "trip", 540.0, start=date(2020, 3, 1), end=date(2021, 2, 1))
    found = final(connection)
    assert found["value"] == pytest.approx(-10.0)
    assert found["change"]["left_out"] == {"no_pair": 7}
    assert found["facts"]["days_no_pair"] == 7


def test_a_control_takes_out_what_would_have_happened_anyway(connection: Connection) -> None:
    text = measured(
        "{of: {statistic: {channel: trip, stat: mean, slots: [a]}}, baseline: {window: [2025-03-01, 2025-05-01]},"
        " control: [b]}"
    )
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    for slot, first, second in (("a", 600.0, 420.0), ("b", 300.0, 240.0)):
        heard(site, "trip", first, slot, end=date(2025, 5, 1))
        heard(site, "trip", second, slot, start=date(2025, 5, 1))
    found = final(connection)
    assert found["value"] == pytest.approx(100 * (0.7 / 0.8 - 1))
    assert found["change"]["control"] == {"after": pytest.approx(240.0), "before": pytest.approx(300.0)}
    assert [row["slot"] for row in found["slots"]] == ["a"]


def test_days_on_which_a_control_was_out_are_left_out_on_both_sides(connection: Connection) -> None:
    text = measured(
        "{of: {statistic: {channel: trip, stat: mean, slots: [a]}}, baseline: {window: [2025-03-01, 2025-05-01]},"
        " control: [b]}"
    )
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    site.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
    out = {date(2025, 6, 1) + timedelta(days=i) for i in range(10)}
    at_us = hours(START, END)
    days = [datetime.fromtimestamp(t / 1e6, UTC).astimezone(SEOUL).date() for t in at_us.tolist()]
    first = np.array([d < date(2025, 5, 1) for d in days])
    gone = np.array([d in out for d in days])
    site.heard("a", "trip", at_us, np.where(first, 600.0, np.where(gone, 9999.0, 480.0)))
    site.heard("b", "trip", at_us[~gone], np.full((~gone).sum(), 300.0))
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0)  # the ten days of 9999 s do not count
    assert found["change"]["left_out"] == {"control_gap": 10}


def _weather(day: date) -> float:
    return 12.0 + 14.0 * math.sin((day.timetuple().tm_yday - 105) / 365.25 * 2 * math.pi)


def test_energy_is_compared_with_what_the_baseline_would_have_taken_in_this_weather(connection: Connection) -> None:
    def demand(warmth: float) -> float:
        return 5.0 + 0.8 * max(18 - warmth, 0.0) + 1.1 * max(warmth - 24, 0.0)

    rows = [f"{at.isoformat()},{demand(_weather(at.date()))!r},{_weather(at.date())!r}" for at in _hours_of(*BEFORE)]
    content = ("time,kWh,outside\n" + "\n".join(rows)).encode()
    normal = ", normalise: {degree_days: [18 degC, 24 degC], weather: {slot: a, channel: outside}}"
    text = filed(content, "{integral: power}", more=", temperature: outside", zone="", rest=normal, target="<= -20 %")
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    warmer = [_weather(at.date()) + 3 for at in _hours_of(START, END)]
    heard(site, "outside", warmer)
    heard(site, "power", [0.75 * demand(one) for one in warmer])
    found = final(connection)
    # By the hour power goes from one day's level to the next by a straight line, so a day's energy is off by a little.
    assert found["value"] == pytest.approx(-25.0, abs=0.1)
    model = found["change"]["model"]
    assert [model["heating"], model["cooling"]] == [18.0, 24.0]
    assert model["coefficients"] == pytest.approx([120.0, 19.2, 26.4], rel=1e-6)
    assert model["r2"] == pytest.approx(1.0)


def _hours_of(start: date, end: date) -> list[datetime]:
    at, found = midnight(start, SEOUL), []
    while at < midnight(end, SEOUL):
        found.append(at.astimezone(SEOUL))
        at += timedelta(hours=1)
    return found


def test_a_model_that_does_not_fit_gives_no_value_and_says_so(connection: Connection) -> None:
    rng = np.random.default_rng(3)
    rows = [f"{at.isoformat()},{rng.uniform(1, 100)!r},{_weather(at.date())!r}" for at in _hours_of(*BEFORE)]
    content = ("time,kWh,outside\n" + "\n".join(rows)).encode()
    normal = ", normalise: {degree_days: fitted, weather: {slot: a, channel: outside}}"
    text = filed(content, "{integral: power}", more=", temperature: outside", zone="", rest=normal)
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "outside", [_weather(at.date()) for at in _hours_of(START, END)])
    heard(site, "power", 40.0)
    found = final(connection)
    assert (found["verdict"], found["reason"], found["value"]) == ("insufficient", "refused", None)
    assert "R²" in found["why"]["ko"] and found["no_value"] == "model_poor"


def test_the_peak_is_that_of_quarter_hours(connection: Connection) -> None:
    slot = METER.replace("power: {{unit: kW, period: 1 h}}", "power: {{unit: kW, period: 5 min}}")
    of = "{statistic: {channel: power, stat: max, average: 15 min}}"
    text = measured(f"{{of: {of}, baseline: {{window: [2025-03-01, 2025-04-01]}}}}")
    dates = {"end": "2025-07-01", "interim": "2025-05-01", "until": "2025-06-01"}
    site = made_site(connection, text, slot=slot, **dates)
    rng = np.random.default_rng(7)
    at_us = hours(START, date(2025, 6, 1), step_h=1 / 12)
    values = rng.gamma(4.0, 10.0, len(at_us))
    site.heard("a", "power", at_us, values)
    found = final(connection)
    quarters = values.reshape(-1, 3).mean(axis=1)
    first = 31 * 96
    expected = 100 * (quarters[first:].max() / quarters[:first].max() - 1)
    assert found["value"] == pytest.approx(expected, abs=1e-9)
    assert found["interval"]["method"] == "none"


def test_a_difference_is_told_in_the_measures_unit(connection: Connection) -> None:
    text = measured(
        "{of: {integral: power}, as: difference, per: 1 h, baseline: {window: [2025-03-01, 2025-05-01]}}", "<= -1 kW"
    )
    site = made_site(connection, text, slot=METER)
    heard(site, "power", 10.0, end=date(2025, 5, 1))
    heard(site, "power", 8.0, start=date(2025, 5, 1))
    found = final(connection)
    # At the seam the line goes from 10 to 8 over one hour, which is the baseline's.
    assert found["unit"] == "kW" and found["value"] == pytest.approx(-2.0, abs=0.01)


def test_a_value_with_its_source_is_a_baseline_without_an_interval(connection: Connection) -> None:
    text = measured(
        '{of: {increase: total}, baseline: {value: "240 kWh/d", source: 2024년 전기요금 고지서}}',
        more=", scope: capability",
    )
    site = made_site(connection, text, slot=METER)
    at_us = hours(START, END)
    site.heard("a", "total", at_us, 8.0 * np.arange(len(at_us)))
    found = final(connection)
    assert found["value"] == pytest.approx(100 * (192 / 240 - 1), abs=0.02)
    assert (found["verdict"], found["reason"]) == ("inconclusive", "no_interval")


# --- bad input: each a stated reason


def _refused(connection: Connection, code: str) -> dict[str, Any]:
    found = final(connection)
    assert (found["verdict"], found["reason"], found["no_value"]) == ("insufficient", "refused", code)
    assert found["value"] is None and found["why"]["ko"].endswith(".") and found["why"]["en"]
    month = evaluate(connection, "hall", month="2025-06").document["kpis"][0]
    assert (month["status"], month["reason"]) == ("insufficient", "refused")
    return found


def test_a_file_that_was_never_handed_in_is_named(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    site = made_site(connection, filed(content, "{integral: power}"), slot=METER)
    heard(site, "power", 8.0)
    assert "meter.csv" in _refused(connection, "baseline_missing")["why"]["en"]


def test_a_file_that_was_changed_after_hashing_is_refused(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    made_site(connection, filed(content, "{integral: power}"), slot=METER)
    with pytest.raises(PermanentError, match="changed"):
        add_baseline(connection, "hall", "k", "meter.csv", content + b"\n", who="cli:test")


def test_a_file_that_was_changed_in_the_store_is_noticed(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    site = made_site(connection, filed(content, "{integral: power}"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    connection.execute("ALTER TABLE baseline DISABLE TRIGGER USER")
    connection.execute("UPDATE baseline SET content = %(c)s", {"c": content.replace(b"10.0", b"99.0")})
    _refused(connection, "baseline_changed")


def test_a_file_shorter_than_asked_says_how_much_is_there(connection: Connection) -> None:
    content = hourly_file(date(2024, 3, 1), date(2024, 12, 1), lambda _: 10.0)
    site = made_site(connection, filed(content, "{integral: power}"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    found = _refused(connection, "baseline_short")
    assert f"{100 * 275 / 365:.1f} %" in found["why"]["en"] and "90.0 %" in found["why"]["en"]


def test_a_baseline_of_zero_has_no_change_in_percent(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 0.0)
    site = made_site(connection, filed(content, "{integral: power}"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    _refused(connection, "baseline_zero")


def test_nothing_in_an_own_window_is_said(connection: Connection) -> None:
    text = measured("{of: {statistic: {channel: trip, stat: mean}}, baseline: {window: [2025-03-01, 2025-05-01]}}")
    site = made_site(connection, text, slot=METER)
    heard(site, "trip", 480.0, start=date(2025, 5, 1))
    _refused(connection, "baseline_none")


def test_a_file_is_kept_as_it_came_and_never_changes(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    made_site(connection, filed(content, "{integral: power}"), slot=METER)
    kept = add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    assert content_of(connection, kept.baseline_id) == content
    assert [one.sha256 for one in baselines(connection, "hall")] == [sha256(content)]
    row = connection.execute("SELECT what, object FROM audit WHERE what = 'baseline.import'").fetchone()
    assert row is not None and row["object"] == f"baseline {kept.baseline_id}"
    with pytest.raises(Exception, match="append-only"):
        connection.execute("UPDATE baseline SET file_name = 'other.csv'")
    with pytest.raises(PermanentError, match="already"):
        add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")


def test_as_of_an_instant_a_file_handed_in_later_is_not_there(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    site = made_site(connection, filed(content, "{integral: power}"), slot=METER)
    heard(site, "power", 8.0)
    before = evaluate(connection, "hall", final=True)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    now = evaluate(connection, "hall", final=True)
    again = evaluate(connection, "hall", final=True, as_of=before.as_of)
    assert before.document["kpis"][0]["no_value"] == "baseline_missing" and again.sha256 == before.sha256
    assert now.document["kpis"][0]["value"] == pytest.approx(-20.0)


# --- the rest of the way


def test_a_file_in_another_unit_of_the_dimension_converts(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 36.0, head="time,MJ")
    site = made_site(connection, filed(content, "{integral: power}", unit="MJ", column="MJ"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0)
    assert (found["change"]["before"], found["change"]["unit"]) == (pytest.approx(240.0), "kWh/d")


def test_a_counters_stand_in_a_file_is_taken_by_its_steps(connection: Connection) -> None:
    stand = {"at": 0.0}

    def next_stand(_: datetime) -> float:
        stand["at"] += 10.0
        return round(stand["at"], 3)

    content = hourly_file(*BEFORE, next_stand)
    site = made_site(connection, filed(content, "{increase: total}"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    at_us = hours(START, END)
    site.heard("a", "total", at_us, 9.0 * np.arange(len(at_us)))
    assert final(connection)["value"] == pytest.approx(-10.0, abs=0.02)


def test_one_column_of_several_slots_is_that_of_all_together(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 30.0)
    site = made_site(connection, filed(content, "{integral: power}"), slots=("a", "b"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0, "a")
    heard(site, "power", 16.0, "b")
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0)
    assert [row["value"] for row in found["slots"]] == [None, None]  # of one alone nobody knows what was before


def test_guarded_both_sides_instruments_count(connection: Connection) -> None:
    content = hourly_file(*BEFORE, lambda _: 10.0)
    text = filed(content, "{integral: power}", target="<= -17 %").replace("name: K,", "name: K, decision: guarded,")
    site = made_site(connection, text, slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0)
    found = final(connection)
    # The class default of electric power is 3.5 % on each side: 80 % of 3.5 %·√2.
    assert found["uncertainty"]["against"] == pytest.approx(80 * 0.035 * math.sqrt(2), rel=1e-6)
    assert (found["value"], found["verdict"]) == (pytest.approx(-20.0), "inconclusive")


def test_counts_against_their_own_earlier_window_have_the_exact_interval(connection: Connection) -> None:
    text = measured(
        "{of: {event_rate: {event: stop, per: 1 d, independent: true}}, baseline: {window: [2025-03-01, 2025-05-31]}}",
        more=", scope: capability",
    )
    site = made_site(connection, text, slot=METER)
    site.alive(datetime(2025, 2, 1, tzinfo=UTC), datetime(2025, 12, 1, tzinfo=UTC))
    heard(site, "power", 1.0)
    first = [datetime(2025, 3, 1, 3, tzinfo=UTC) + timedelta(hours=30 * i) for i in range(70)]
    second = [datetime(2025, 5, 31, 3, tzinfo=UTC) + timedelta(hours=60 * i) for i in range(60)]
    site.happened("a", [(i, "", at, {}) for i, at in enumerate(first + second)], kind="stop")
    found = final(connection)
    days = (END - date(2025, 5, 31)).days, (date(2025, 5, 31) - START).days
    assert found["value"] == pytest.approx(100 * ((60 / days[0]) / (70 / days[1]) - 1), rel=1e-3)
    from scipy import stats

    high = stats.beta.ppf(1 - 0.025, 61, 70)
    assert found["sampling"]["high"] == pytest.approx(100 * (high / (1 - high) * days[1] / days[0] - 1), rel=1e-3)


def test_swaps_and_exclusions_go_through_the_shared_code(connection: Connection) -> None:
    from kpi.records.exclusions import add_exclusion

    content = hourly_file(*BEFORE, lambda _: 10.0)
    site = made_site(connection, filed(content, "{integral: power}", rest=", pair: {weekday: true}"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    at_us = hours(START, END)
    away = (at_us >= micros(datetime(2025, 6, 3, tzinfo=UTC))) & (at_us < micros(datetime(2025, 6, 5, tzinfo=UTC)))
    site.heard("a", "power", at_us, np.where(away, 50.0, 8.0))
    add_exclusion(
        connection, "hall", slot="a", start=datetime(2025, 6, 2, 15, tzinfo=UTC), end=datetime(2025, 6, 5, 15, tzinfo=UTC),
        reason="closure", asked_on=date(2025, 6, 5), asked_by="C", agreed_site="S", agreed_team="T", note="휴관",
        who="cli:test", today=date(2025, 6, 6),
    )  # fmt: skip
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0, abs=0.05)
    assert found["without"]["exclusions"]["value"] > found["value"]


def test_the_command_hands_in_lists_and_shows(
    connection: Connection, database_url: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    import json

    from pilotbed.cli import run

    monkeypatch.setenv("PILOTBED_DATABASE_URL", database_url)
    content = hourly_file(*BEFORE, lambda _: 10.0)
    made_site(connection, filed(content, "{integral: power}"), slot=METER)
    file = tmp_path / "meter.csv"
    file.write_bytes(content + b"x")
    assert run(["baseline", "import", "hall", "k", str(file)]) != 0
    assert "SHA-256" in capsys.readouterr().err
    assert run(["baseline", "list", "hall", "--json"]) == 0
    assert [row["kpi"] for row in json.loads(capsys.readouterr().out)["awaited"]] == ["k"]
    file.write_bytes(content)
    assert run(["baseline", "import", "hall", "k", str(file), "--json"]) == 0
    number = json.loads(capsys.readouterr().out)["baseline_id"]
    out = tmp_path / "out.csv"
    assert run(["baseline", "show", "hall", str(number), "-o", str(out), "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert out.read_bytes() == content and (shown["encoding"], shown["rows"], shown["period_s"]) == (
        "UTF-8",
        8760,
        3600.0,
    )
    assert run(["baseline", "show", "hall", "99"]) != 0
    assert run(["baseline", "import", "hall", "k", str(tmp_path / "none.csv")]) == 2


def test_complaints_entered_by_hand_are_compared_with_those_of_the_year_before(connection: Connection) -> None:
    from scipy import stats

    from kpi.records.documents import paper
    from kpi.records.manual import add_manual
    from kpi.records.manual_rules import Given

    of = "{event_rate: {manual: complaints, independent: true, per: {manual: resident-days}}}"
    text = measured(f"{{of: {of}, baseline: {{window: [2024-03-01, 2025-03-01]}}}}", "<= -20 %", ", scope: capability")
    more = (
        "manual: {complaints: {name: 민원, kind: count, unit: 건, exposure: {id: resident-days, unit: resident-day}}}\n"
    )
    made_site(connection, text, slot=METER, more=more)

    def entry(start: date, end: date, n: int) -> Given:
        exposure = 100.0 * (end - start).days
        begins, ends = midnight(start, SEOUL), midnight(end, SEOUL)
        return Given(quantity="complaints", start=begins, end=ends, value=n, exposure=exposure, measured_by="구청")

    given = [entry(*BEFORE, 90), entry(START, date(2025, 7, 1), 14), entry(date(2025, 7, 1), END, 16)]
    add_manual(connection, "hall", given, paper("a.pdf", b"proof"), who="cli:test")
    found = final(connection)
    days = (END - START).days, 365
    assert found["value"] == pytest.approx(100 * ((30 / days[0]) / (90 / days[1]) - 1), rel=1e-9)
    high = stats.beta.ppf(1 - 0.025, 31, 90)
    assert found["sampling"]["high"] == pytest.approx(100 * (high / (1 - high) * days[1] / days[0] - 1), rel=1e-9)
    assert found["verdict"] == "met"


def test_each_segment_is_compared_with_the_same_baseline_and_controls(connection: Connection) -> None:
    text = measured(
        "{of: {statistic: {channel: trip, stat: mean, slots: [a]}}, baseline: {window: [2025-03-01, 2025-05-01]},"
        " control: [b]}"
    )
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    for slot, first, second in (("a", 600.0, 420.0), ("b", 300.0, 240.0)):
        heard(site, "trip", first, slot, end=date(2025, 5, 1))
        heard(site, "trip", second, slot, start=date(2025, 5, 1))
    swap = datetime(2025, 7, 31, 15, tzinfo=UTC)
    connection.execute(
        "UPDATE installation i SET removed_at = %(at)s, removal_recorded_at = %(at)s, installed_at = '2025-02-28T15:00Z'"
        " FROM slot s WHERE s.slot_id = i.slot_id AND s.name = 'a'",
        {"at": swap},
    )
    connection.execute(
        "INSERT INTO installation (slot_id, serial, installed_at, recorded_at)"
        " SELECT slot_id, 'a-2', %(at)s, %(at)s FROM slot WHERE name = 'a'",
        {"at": swap},
    )
    found = final(connection)
    assert [row["device"]["serial"] for row in found["segments"]] == ["a-1", "a-2"]
    assert found["last_segment"]["value"] == pytest.approx(100 * (0.7 / 0.8 - 1))


def test_two_slots_are_judged_by_the_worse_each_with_its_own_column(connection: Connection) -> None:
    rows = [f"{at.isoformat()},10.0,20.0" for at in _hours_of(*BEFORE)]
    content = ("time,x,y\n" + "\n".join(rows)).encode()
    text = filed(content, "{integral: power}", column="{a: x, b: y}", zone="").replace(
        "name: K,", "name: K, group: worst,"
    )
    site = made_site(connection, text, slots=("a", "b"), slot=METER)
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    heard(site, "power", 8.0, "a")
    heard(site, "power", 19.0, "b")
    found = final(connection)
    assert [row["value"] for row in found["slots"]] == [pytest.approx(-20.0), pytest.approx(-5.0)]
    assert (found["slot"], found["verdict"]) == ("b", "not_met")


def test_a_zone_that_turns_its_clock_has_days_of_23_and_25_hours(connection: Connection) -> None:
    from zoneinfo import ZoneInfo

    berlin = ZoneInfo("Europe/Berlin")
    at, rows = midnight(date(2024, 3, 1), berlin), ["time,kWh"]
    while at < midnight(date(2025, 3, 1), berlin):
        rows.append(f"{at.astimezone(berlin):%Y-%m-%d %H:%M},10.0")
        at += timedelta(hours=1)
    content = "\n".join(rows).encode()
    text = filed(content, "{integral: power}", zone="zone: Europe/Berlin", rest=", pair: {weekday: true}")
    site = made_site(connection, text, slot=METER, zone="Europe/Berlin")
    add_baseline(connection, "hall", "k", "meter.csv", content, who="cli:test")
    at_us = hours(START, END, berlin)
    site.heard("a", "power", at_us, np.full(len(at_us), 8.0))
    found = final(connection)
    assert found["value"] == pytest.approx(-20.0)
    assert found["change"]["left_out"] == {} and found["n"] == 245

"""The second judge stands alone, and knows what is published."""

from __future__ import annotations

import ast
import math
import sys
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from tests.recomputation import chance, dates, sets, units
from tests.recomputation.events import holds, holes
from tests.recomputation.printing import printed
from tests.recomputation.series import counted_in
from tests.recomputation.sums import step

FOLDER = Path(__file__).parents[1] / "recomputation"
ALLOWED = {"numpy", "pandas", "pint", "pyarrow", "ruamel", "scipy", "statsmodels", "tests"}
HOUR = 3_600_000_000


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*.py")), ids=lambda path: path.stem)
def test_it_imports_nothing_of_what_it_checks(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Import):
            names = [one.name for one in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: a relative import"
            names = [node.module or ""]
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            called = node.func.id if isinstance(node.func, ast.Name) else node.func.attr
            assert called not in ("__import__", "import_module", "exec", "run_path"), path.name
        for name in names:
            root = name.partition(".")[0]
            assert root in ALLOWED or root in sys.stdlib_module_names, f"{path.name} imports {name}"
            if root == "tests":
                assert name == "tests.recomputation" or name.startswith("tests.recomputation."), name


def test_the_walk_finds_modules() -> None:
    assert {"judge", "view", "series", "events", "chance"} <= {path.stem for path in FOLDER.glob("*.py")}


@pytest.mark.parametrize(("successes", "low"), [(29, 0.90), (59, 0.95), (299, 0.99), (2995, 0.999)])
def test_a_sample_without_failure_shows_what_the_published_table_says(successes: int, low: float) -> None:
    assert chance.proportion(successes, successes, 0.05)[0] > low
    assert chance.proportion(successes - 1, successes - 1, 0.05)[0] <= low


def test_no_event_bounds_the_mean_by_the_rule_of_three() -> None:
    assert chance.count(0, 0.05) == pytest.approx((0.0, -math.log(0.05)), rel=1e-12)


def test_weeks_give_no_interval_below_eight_of_them() -> None:
    weeks = [(i * 604_800.0, 1.0, 20.0 + (-1) ** i) for i in range(8)]
    assert chance.weekly_mean(20.0, weeks[:7], 0.05, 7 * 604_800) is None
    low, high = chance.weekly_mean(20.0, weeks, 0.05, 8 * 604_800) or (0.0, 0.0)
    # Eight values of variance 8/7: t(7) is 1.8946 at 5 %.
    assert high - 20.0 == pytest.approx(20.0 - low) == pytest.approx(1.894579 * math.sqrt(8 / 7 / 8), rel=1e-6)


def test_sets_agree_with_counting_minutes() -> None:
    rng = np.random.default_rng(5)
    for _ in range(50):
        one, other = (rng.integers(0, 60, (4, 2)) for _ in range(2))
        a, b = sets.of(one), sets.of(other)
        minutes = np.arange(60)
        in_a = np.array([any(s <= m < e for s, e in one) for m in minutes])
        in_b = np.array([any(s <= m < e for s, e in other) for m in minutes])
        assert (sets.has(sets.both(a, b), minutes) == (in_a & in_b)).all()
        assert (sets.has(sets.without(a, b), minutes) == (in_a & ~in_b)).all()
        assert (sets.has(sets.either(a, b), minutes) == (in_a | in_b)).all()
        assert sets.length_in(a, b) == (in_a & in_b).sum()


def test_missing_readings_are_those_between_the_ones_there_are() -> None:
    at = np.array([0, 1, 2, 5, 6], dtype=np.int64) * HOUR + 600_000_000
    assert counted_in(at, sets.of([(0, 7 * HOUR)]), HOUR) == (2, 7)
    assert counted_in(at, sets.of([(3 * HOUR, 5 * HOUR)]), HOUR) == (2, 2)


def test_a_day_of_summer_time_is_cut_by_the_clock_on_the_wall() -> None:
    berlin = ZoneInfo("Europe/Berlin")
    march, october = date(2024, 3, 31), date(2024, 10, 27)
    for day, hours in ((march, 0), (october, 2)):
        span = dates.midnight(day, berlin), dates.midnight(date.fromordinal(day.toordinal() + 1), berlin)
        assert sets.length(dates.daily(span, berlin, (120, 180), None)) == hours * HOUR


def test_quarters_and_weeks_join_what_is_there_in_part() -> None:
    seoul = ZoneInfo("Asia/Seoul")
    span = dates.midnight(date(2026, 3, 1), seoul), dates.midnight(date(2027, 2, 1), seoul)
    starts = [dates.day_of(one[0], seoul) for one in dates.quarters(span, seoul)]
    assert starts == [date(2026, 3, 1), date(2026, 7, 1), date(2026, 10, 1)]
    may = dates.month("2026-05", seoul)
    assert [(b - a) / dates.DAY_US for a, b in dates.weeks(may, seoul)] == [7, 7, 7, 10]


def test_targets_read_in_signs_and_in_words() -> None:
    assert units.target("1000 km당 1건 이하").to("건/(1000 km)") == units.target("<= 1 / (1000 km)").to("건/(1000 km)")
    assert units.target("20 °C 이상 26 °C 미만").holds(26.0) is False
    assert units.target("20..26 degC").to("degF").holds(units.convert(26.0, "degC", "degF"))
    assert units.convert(95.0, "%", "") == 0.95


def test_numbers_that_are_missing_are_dated_by_the_next_one_heard() -> None:
    assert holes([(10, 1), (20, 2), (50, 5)]) == [50, 50]
    assert holes([(10, 40), (20, 41), (30, 1), (40, 3)]) == [40]
    assert holes([(10, 1), (20, 20_000), (30, 20_002)]) == [30]


def test_an_attribute_that_is_not_there_leaves_a_condition_open() -> None:
    assert holds({"result": ["done"], "stops": "<= 1"}, {"result": "done", "stops": 1}) is True
    assert holds({"result": "done", "stops": "<= 1"}, {"stops": 2}) is False
    assert holds({"result": "done"}, {"result": None}) is None
    assert holds({"ok": True}, {"ok": 1}) is False


def test_a_counter_that_falls_wraps_or_begins_anew() -> None:
    assert step(98, 1, 100) == (3, 0.0)
    assert step(500, 3, None) == (0.0, 3)
    assert step(500, 499, None) == (0.0, 0.0)


def test_ends_print_with_the_digits_that_keep_them_on_their_side() -> None:
    target = units.target(">= 95 %")
    assert printed(94.96, "%", target) == "94.96"
    assert printed(97.123, "%", target) == "97.1"
    assert printed(99.99, "%", target) == "99.99"

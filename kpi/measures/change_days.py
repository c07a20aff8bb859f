"""Days compared: with their counterparts, with the baseline's days beside controls, or with a model of the weather. Pure."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date
from types import MappingProxyType
from typing import Any

import numpy as np

from kpi.intervals import Block
from kpi.intervals.changes import Modelled, Weeks
from kpi.measurement import Measurement, Refused
from kpi.measures.change_chance import Changed
from kpi.measures.change_parts import MIN_DAY, Cell
from kpi.measures.change_sides import Sides
from kpi.measures.day_pairs import HOLIDAY, NO_PAIR, counterpart
from kpi.measures.degree_days import DegreeDayModel, fitted

_RULED_OUT = (NO_PAIR, HOLIDAY)
"""Days that the rule leaves out; the others lack data."""


class Days(Sides):
    """Days, each a value of the measure."""

    def measured(self) -> Measurement:
        assert self.whole is not None
        beside = self.parts[0].beside
        befores = self.befores()
        if (beside.among or len(self.parts)) != len(self.parts) or not befores or beside.window is None:
            return self.none(Refused(code="baseline_together", values={"slots": beside.among}))
        own = self.series([part.days for part in self.parts])
        theirs = self.series([one.days for one in befores])
        lacking = self.lacking(_share([value is not None for value in theirs.values()]))
        if lacking is not None:
            return self.none(lacking)
        controls = [one for one, _ in beside.control], [one.days for _, one in beside.control]
        control = None if not beside.control else (self.series(controls[0]), self.series(controls[1]))
        if self.change.normalise is not None:
            return self._normalised(own, theirs)
        return self._compared(own, theirs, control)

    def series(self, slots: Sequence[Mapping[date, Cell]]) -> dict[date, float | None]:
        """The value of each day on which anything was required of any slot; None where one lacks data."""
        found: dict[date, float | None] = {}
        for day in dict.fromkeys(day for one in slots for day in one):
            cells = [one[day] for one in slots if day in one and one[day].required_s > 0]
            if not cells:
                continue
            if len(slots) == 1 and not self.change.summed:  # computed once for both questions
                alone = self.of([cells[0].part])
                found[day] = alone.value if self.share_there(cells[0], alone) >= MIN_DAY else None
                continue
            whole = len(cells) == len(slots) and all((self.there(cell) or 0.0) >= MIN_DAY for cell in cells)
            found[day] = self.level(cells) if whole else None
        return found

    def _compared(
        self,
        own: Mapping[date, float | None],
        theirs: Mapping[date, float | None],
        control: tuple[Mapping[date, float | None], Mapping[date, float | None]] | None,
    ) -> Measurement:
        """Days with their counterparts, or with all days of the baseline; beside what the controls did."""
        left: Counter[str] = Counter()
        rows: list[tuple[date, date | None, tuple[float, ...]]] = []
        for day, value in own.items():
            partner = self._partner(day)
            why = self._unfit(day, value, partner, theirs, control)
            if why:
                left[why] += 1
                continue
            row = [value, theirs.get(partner) if isinstance(partner, date) else None]
            row += [] if control is None else [control[0][day]]
            row += [control[1].get(partner)] if control is not None and isinstance(partner, date) else []
            rows.append(
                (day, partner if isinstance(partner, date) else None, tuple(math.nan if x is None else x for x in row))
            )
        if not rows:
            return self.none(Refused(code="no_pairs", values=dict(left)))
        bases = [] if self.change.pair is not None else _known(theirs, control)
        if self.change.pair is None and not bases:
            return self.none(Refused(code="control_none"))
        return self._levels(rows, bases, left, control is not None)

    def _partner(self, day: date) -> date | str | None:
        pair, beside = self.change.pair, self.parts[0].beside
        if pair is None or beside.window is None:
            return None
        return counterpart(day, beside.window, beside.holidays, on_holidays=pair.on_holidays)

    def _unfit(
        self,
        day: date,
        value: float | None,
        partner: date | str | None,
        theirs: Mapping[date, float | None],
        control: tuple[Mapping[date, float | None], Mapping[date, float | None]] | None,
    ) -> str:
        """Why a day does not count; empty where it does."""
        if isinstance(partner, str):
            return partner
        if value is None:
            return "gap"
        if isinstance(partner, date) and theirs.get(partner) is None:
            return "baseline_gap"
        if control is None:
            return ""
        lacks = control[0].get(day) is None or (isinstance(partner, date) and control[1].get(partner) is None)
        return "control_gap" if lacks else ""

    def _levels(
        self,
        rows: Sequence[tuple[date, date | None, tuple[float, ...]]],
        bases: Sequence[tuple[date, float, float | None]],
        left: Counter[str],
        controlled: bool,
    ) -> Measurement:
        table = np.array([row for _, _, row in rows], dtype=np.float64)
        paired = self.change.pair is not None
        after = float(table[:, 0].mean())
        before = float(table[:, 1].mean()) if paired else math.fsum(x for _, x, _ in bases) / len(bases)
        own = before_own = None
        if controlled:
            own = float(table[:, 2].mean())
            before_own = float(table[:, 3].mean()) if paired else math.fsum(c or 0.0 for _, _, c in bases) / len(bases)
        if self.ratio and (
            before <= 0 or (before_own is not None and before_own <= 0) or (own is not None and own <= 0)
        ):
            code = "baseline_zero" if before <= 0 else "control_zero"
            return self.none(Refused(code=code))
        centre = after / before if self.ratio else after - before
        if own is not None and before_own is not None:
            centre = centre / (own / before_own) if self.ratio else centre - (own - before_own)
        scales = [after, before, own, before_own] if self.ratio else [1.0, 1.0, 1.0, 1.0]
        means = [after, before, own, before_own]

        def away(values: Sequence[float], place: int) -> float:
            """A week's deviation of one of the four series."""
            mean, scale = means[place], scales[place]
            return 0.0 if mean is None or scale is None or scale == 0 else (float(np.mean(values)) - mean) / scale

        signs = (1.0, -1.0, -1.0, 1.0)
        places = [0, *([1] if paired else []), *([2] if controlled else []), *([3] if controlled and paired else [])]
        by_day = {day: row for day, _, row in rows}
        blocks = [
            Block(
                at_s=at_s,
                weight=float(len(some)),
                value=sum(signs[p] * away([row[p] for row in some], p) for p in places) if some else 0.0,
            )
            for at_s, some in self._by_week(by_day)
        ]
        windows = [Weeks(blocks=tuple(blocks), window_s=self.parts[0].window_s, seasonal=not paired)]
        if not paired:
            windows.append(self._weeks_of_bases(bases, away, controlled))
        return self._measured(
            centre=centre,
            levels=(after, before),
            control=None if own is None or before_own is None else (own, before_own),
            windows=tuple(windows),
            left=left,
            days=[[day.isoformat(), row[0], row[1] if paired else None] for day, row in by_day.items()],
            bases=[] if paired else [[day.isoformat(), x] for day, x, _ in bases],
            pairs=[[day.isoformat(), other.isoformat()] for day, other, _ in rows if other is not None],
        )

    def _weeks_of_bases(self, bases: Sequence[tuple[date, float, float | None]], away: Any, controlled: bool) -> Weeks:
        by_week: dict[tuple[int, int], list[tuple[date, float, float | None]]] = {}
        for one in bases:
            by_week.setdefault(one[0].isocalendar()[:2], []).append(one)
        blocks = []
        for some in by_week.values():
            value = -away([x for _, x, _ in some], 1) + (away([c or 0.0 for _, _, c in some], 3) if controlled else 0.0)
            blocks.append(Block(at_s=_noon_s(some[len(some) // 2][0]), weight=float(len(some)), value=value))
        return Weeks(blocks=tuple(blocks), window_s=self.parts[0].beside.window_s)

    def _by_week(self, by_day: Mapping[date, Any]) -> list[tuple[float, list[Any]]]:
        """The rows of each weekly block."""
        found = []
        for at_s, week in self.weeks:
            days = dict.fromkeys(day for part in week for day in part.days)
            found.append((at_s, [by_day[day] for day in days if day in by_day]))
        return found

    def _normalised(self, own: Mapping[date, float | None], theirs: Mapping[date, float | None]) -> Measurement:
        """Days beside what the baseline's model says for their weather."""
        normal, weather = self.change.normalise, self.parts[0].beside.weather
        assert normal is not None
        learnt = [(day, value) for day, value in theirs.items() if value is not None and day in weather]
        lacking = self.lacking(len(learnt) / max(len(theirs), 1))
        if lacking is not None:
            return self.none(Refused(code="weather_short", values=lacking.values))
        bases = None if normal.degree_days.fitted else normal.degree_days.bases
        model = fitted(
            np.array([weather[day] for day, _ in learnt]),
            np.array([value for _, value in learnt]),
            [day.isocalendar()[:2] for day, _ in learnt],
            bases,
        )
        if model is None:
            return self.none(Refused(code="baseline_zero"))
        if not (0 <= model.cv_rmse <= normal.most_cv_rmse and model.r2 >= normal.r2):
            values = {
                "cv_rmse": model.cv_rmse, "r2": model.r2, "most_cv_rmse": normal.most_cv_rmse, "least_r2": normal.r2,
            }  # fmt: skip
            return self.none(Refused(code="model_poor", values=values))
        left = Counter(
            "weather" if value is not None else "gap"
            for day, value in own.items()
            if value is None or day not in weather
        )
        used = [(day, value) for day, value in own.items() if value is not None and day in weather]
        if not used:
            return self.none(Refused(code="no_pairs", values=dict(left)))
        return self._beside_model(model, used, np.array([weather[day] for day, _ in used]), left)

    def _beside_model(
        self, model: DegreeDayModel, used: Sequence[tuple[date, float]], temperature: Any, left: Counter[str]
    ) -> Measurement:
        values, expected = np.array([value for _, value in used]), model.predicted(temperature)
        after, before = float(values.mean()), float(expected.mean())
        if self.ratio and before <= 0:
            return self.none(Refused(code="baseline_zero"))
        centre = after / before if self.ratio else after - before
        scale = after if self.ratio and after > 0 else 1.0
        times = centre if self.ratio else 1.0
        rows = {day: (y - times * x) / scale for (day, y), x in zip(used, expected.tolist(), strict=True)}
        middle = math.fsum(rows.values()) / len(rows)
        blocks = tuple(
            Block(at_s=at_s, weight=float(len(some)), value=float(np.mean(some)) - middle if some else 0.0)
            for at_s, some in self._by_week(rows)
        )
        relative = before if self.ratio else 1.0
        return self._measured(
            centre=centre,
            levels=(after, before),
            control=None,
            windows=(Weeks(blocks=blocks, window_s=self.parts[0].window_s, seasonal=False),),
            model=Modelled(variance=model.variance_of_mean(temperature) / relative**2, freedom=model.freedom),
            left=left,
            days=[[day.isoformat(), y, x] for (day, y), x in zip(used, expected.tolist(), strict=True)],
            more={
                "model": {
                    "heating": model.heating, "cooling": model.cooling,
                    "coefficients": [x * self.parts[0].beside.scale for x in model.coefficients],
                    "cv_rmse": model.cv_rmse, "r2": model.r2, "n": model.n,
                }
            },
        )  # fmt: skip

    def _measured(
        self,
        *,
        centre: float,
        levels: tuple[float, float],
        control: tuple[float, float] | None,
        windows: tuple[Weeks, ...],
        left: Counter[str],
        days: list[list[Any]],
        bases: Sequence[list[Any]] = (),
        pairs: Sequence[list[str]] = (),
        model: Modelled | None = None,
        more: Mapping[str, Any] = MappingProxyType({}),
    ) -> Measurement:
        assert self.whole is not None
        lacking = sum(n for why, n in left.items() if why not in _RULED_OUT)
        compared = len(days) / (len(days) + lacking)
        complete, scale = self.whole.completeness, self.parts[0].beside.scale
        value = 100 * (centre - 1) if self.ratio else centre
        return Measurement(
            value=value,
            unit=self.unit,
            n=len(days),
            completeness=compared if complete is None else min(complete, compared),
            low=value,
            high=value,
            difference=not self.ratio,
            own=Changed(ratio=self.ratio, centre=centre, windows=windows, model=model, levels=levels),
            facts={**_charges(self.whole), "days": len(days), **{f"days_{why}": n for why, n in left.items()}},
            compared={
                **self.shown_levels(*levels),
                "control": None if control is None else {"after": control[0] * scale, "before": control[1] * scale},
                "days": [[day, *(x if x is None else x * scale for x in row)] for day, *row in days],
                "days_before": [[day, x * scale] for day, x in bases],
                "pairs": list(pairs),
                "left_out": dict(left),
                **more,
            },
        )


def _charges(whole: Measurement) -> dict[str, float | int]:
    return {key: n for key, n in whole.facts.items() if key in ("company_s", "platform_s", "site_s", "nobody_s")}


def _known(
    theirs: Mapping[date, float | None], control: tuple[Any, Mapping[date, float | None]] | None
) -> list[tuple[date, float, float | None]]:
    """The baseline's days that all have: day, value, the controls' value."""
    found = []
    for day, value in theirs.items():
        other = None if control is None else control[1].get(day)
        if value is not None and (control is None or other is not None):
            found.append((day, value, other))
    return found


def _share(there: Sequence[bool]) -> float | None:
    return sum(there) / len(there) if there else None


def _noon_s(day: date) -> float:
    return (day - date(1970, 1, 1)).days * 86_400.0 + 43_200.0

"""A pilot as known at an instant, to a measure that leaves out what findings are about: docs/kpi.md, "Readings left out"."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.recomputation import sets
from tests.recomputation.folder import Readings, micros
from tests.recomputation.sets import Micros, Set
from tests.recomputation.view import Charged, View, remembered

FLAGGING = ("stuck", "range", "spike", "rate")
GRAVE = {"suspect": 3, "fail": 4}


def leaving(view: View, kind: str, of: dict[str, Any]) -> View:
    """The view that a measure is computed by."""
    quality = of.get("quality")
    if quality is None:
        return view
    said = {"from": quality} if isinstance(quality, str) else quality
    name = of["while"]["channel"] if kind == "share" else of.get("channel")
    return Leaving(view, tuple(said.get("leave_out") or FLAGGING), GRAVE[said.get("from", "fail")], name)


class Leaving(View):
    """The same pilot without some readings."""

    def __init__(self, plain: View, tests: tuple[str, ...], least: int, only: str | None) -> None:
        """:param only: of this channel; of every one if left out."""
        super().__init__(
            plain.folder, plain.plan, plain.cut, plain.as_of, agreed=plain._agreed, excluding=plain._excluding
        )
        self.plain, self._tests, self._least, self._only = plain, tests, least, only

    @remembered
    def bad(self, slot: str, name: str, tests: tuple[str, ...] | None = None) -> Set:
        """What the findings cover that were held true then."""
        if self._only not in (None, name):
            return sets.EMPTY
        frame = self._in_force(self.folder.findings)
        if frame.empty:
            return sets.EMPTY
        about = frame["channel"].isna() | (frame["channel"] == name)
        kept = (
            about & (frame["slot"] == slot) & frame["kind"].isin(tests or self._tests) & (frame["flag"] >= self._least)
        )
        frame = frame[kept.to_numpy()]
        return sets.of(np.stack([micros(frame["start_at"]), micros(frame["end_at"])], axis=1))

    @remembered
    def readings(self, slot: str, name: str) -> Readings:
        every = self.plain.readings(slot, name)
        return every.where(~sets.has(self.bad(slot, name), every.at))

    def heard(self, slot: str, name: str) -> Readings:
        return self.plain.readings(slot, name)

    @remembered
    def stands(self, slot: str, name: str) -> Micros:
        """A good reading stands as it did among all, and no longer than up to what is bad."""
        every, until = self.heard(slot, name), self.plain.stands(slot, name)
        kept = ~sets.has(self.bad(slot, name), every.at)
        begins = np.append(self.bad(slot, name)[:, 0], 2**62)
        cut: Micros = np.minimum(until[kept], begins[np.searchsorted(begins, every.at[kept])])
        return cut

    def parted(self, slot: str, name: str, one: Micros, other: Micros) -> NDArray[np.bool_]:
        return _touched(self.bad(slot, name), one, other)

    def false_step(self, slot: str, name: str, one: Micros, other: Micros) -> NDArray[np.bool_]:
        tests = tuple(test for test in self._tests if test != "stuck")
        return _touched(self.bad(slot, name, tests), one, other) if tests else np.zeros(len(one), dtype=np.bool_)

    @remembered
    def spoilt(self, slot: str, name: str) -> Set:
        return sets.without(self.gaps(slot, name), self.plain.gaps(slot, name))

    def charge(self, slot: str, gaps: Set) -> Charged:
        """What was heard and is bad: the company's, unless it was agreed otherwise."""
        if self._only is None:
            return super().charge(slot, gaps)
        bad = sets.both(gaps, self.spoilt(slot, self._only))
        silent = super().charge(slot, sets.without(gaps, bad))
        bare = sets.both(bad, self.bare(slot))
        rest = sets.without(bad, bare)
        platform = sets.both(rest, self.agreed(slot, "platform"))
        site = sets.both(sets.without(rest, platform), self.agreed(slot, "site"))
        rest = sets.without(rest, sets.either(platform, site))
        return Charged(
            company=sets.either(silent.company, bare, rest),
            platform=sets.either(silent.platform, platform),
            site=sets.either(silent.site, site),
            nobody=silent.nobody,
        )

    @remembered
    def _lost_to_outages(self, slot: str, name: str) -> Set:
        agreed = sets.either(self.agreed(slot, "platform"), self.agreed(slot, "site"))
        lost = sets.either(self.plain.gaps(slot, name), sets.both(self.spoilt(slot, name), agreed))
        return sets.of([span for span in self.left_out(slot).tolist() if sets.length_in(lost, np.array([span])) > 0])

    def states(self, slot: str) -> Any:
        return self.plain.states(slot)


def _touched(bad: Set, one: Micros, other: Micros) -> NDArray[np.bool_]:
    """Whether anything bad lies between two instants each."""
    first = np.searchsorted(bad[:, 1], one, side="right")
    found: NDArray[np.bool_] = np.append(bad[:, 0], 2**62)[first] < other
    return found

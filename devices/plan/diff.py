"""What differs between two versions of a plan, and whether the later one may follow the earlier."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from core.window import midnight
from devices.plan.checks.fault import Fault, fault
from devices.plan.model import Calibration, Channel, Plan
from devices.plan.predicate import slots_in_effect
from devices.plan.problem import Way, dotted

Effect = Literal["contract", "registry", "text"]

# Of a KPI: what the parties agreed on. Its name and explanations are text.
_AGREED = frozenset(
    {
        "measure",
        "target",
        "all",
        "weight",
        "required",
        "scope",
        "decision",
        "if_inconclusive",
        "group",
        "completeness",
        "planned",
        "conditions",
    }
)
_JUDGED = frozenset({"kind", "reporting", "period", "max_hold", "range", "uncertainty"})
"""Of a channel: by what its readings are judged. The rest says how they are decoded."""
_TEXT_OF_SLOT = frozenset({"place", "name"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One difference."""

    way: Way
    before: Any
    """None: it was not there."""
    after: Any
    effect: Effect
    """``contract``: needs an amendment; ``registry``: who speaks and how; ``text``: what people read."""

    @property
    def path(self) -> str:
        return dotted(self.way)


def diff(before: Plan, after: Plan) -> list[Change]:
    """Every difference between two versions, in the order of the plan."""
    found = [
        Change(way=way, before=old, after=new, effect=_effect(way))
        for way, old, new in _differences((), _plain(before), _plain(after))
    ]
    return found + list(_slots_in_effect(before, after))


def refusals(before: Plan, after: Plan, now: datetime) -> list[Fault]:
    """Why ``after`` may not follow ``before`` at this time; empty if it may.

    What was agreed changes only by an amendment of its own, and never for a window already seen: once an evaluation date
    has passed, no KPI changes any more, nor what it is about; dates that have passed stay, and none is added to the past.
    A calibration pair may still be added for a change of device that no verdict has seen.
    """
    return [
        *_kept(before, after),
        *_channels_kept(before, after),
        *_seen(before, after, now),
        *_unamended(before, after),
    ]


def _plain(plan: Plan) -> dict[str, Any]:
    whole: dict[str, Any] = plan.model_dump(mode="json", by_alias=True, exclude_none=True)
    whole.pop("amendment", None)  # it says why the rest changed
    whole["profiles"] = {one.name: one.sha256 for one in plan.profiles}
    for name, kpi in plan.kpis.items():
        whole["kpis"][name] |= {"decision": kpi.rule, "scope": kpi.scope}  # writing a default out changes nothing
    return whole


def _differences(way: Way, before: Any, after: Any) -> Iterator[tuple[Way, Any, Any]]:
    if isinstance(before, dict) and isinstance(after, dict):
        for key in dict.fromkeys([*before, *after]):
            yield from _differences((*way, key), before.get(key), after.get(key))
    elif before != after:
        yield way, before, after


def _effect(way: Way) -> Effect:
    match way:
        case ("period" | "evaluation" | "kind" | "retention" | "simulated", *_):
            return "contract"
        case ("overall" | "exclusions" | "calibrations", *_):
            return "contract"
        case ("conditions", _, *rest):
            return "text" if rest == ["name"] else "contract"
        case ("manual", _, *rest):
            return "text" if rest and rest[-1] in ("name", "source") else "contract"
        case ("company" | "site", "id"):
            return "contract"
        case ("kpis", _) | ("kpis", _, "measure" | "all", *_):
            return "contract"
        case ("kpis", _, key, *_):
            return "contract" if key in _AGREED else "text"
        case ("slots", _, "events", _, "numbered" | "phased" | "truth"):
            return "contract"  # whether a missing one counts as a failure; what is taken for the truth
        case ("connections", _, "side"):
            return "contract"  # whose labels it delivers
        case ("slots", _, "channels", _, key, *_) if key in _JUDGED:
            return "contract"  # a longer hold would turn past silence into up time
        case ("slots", _, "owner" | "certificate"):
            return "contract"  # whose it is; whether anything vouches for it. A certificate that is renewed is none
        case ("slots", _, *rest) if rest and rest[-1] in _TEXT_OF_SLOT:
            return "text"
        case ("slots" | "connections" | "keep_messages" | "profiles", *_):
            return "registry"
        case _:
            return "text"


def _slots_in_effect(before: Plan, after: Plan) -> Iterator[Change]:
    """A KPI about "all slots that have the channel" changes with the slots, though its own text does not."""
    for name, kpi in after.kpis.items():
        if name not in before.kpis or [p.measure for p in before.kpis[name].parts] != [p.measure for p in kpi.parts]:
            continue
        old, new = slots_in_effect(before, before.kpis[name]), slots_in_effect(after, kpi)
        if set(old) != set(new):
            yield Change(
                way=("kpis", name, "measure", kpi.measure.kind, "slots"),
                before=list(old),
                after=list(new),
                effect="contract",
            )


def _kept(before: Plan, after: Plan) -> Iterator[Fault]:
    if before.pilot != after.pilot:
        yield fault(("pilot",), "pilot-name", before=before.pilot)
    if before.simulated != after.simulated:
        yield fault(("simulated",), "simulated-changed", before=str(before.simulated).lower())


def channel_refusal(before: Channel, after: Channel) -> tuple[str, dict[str, Any]] | None:
    """The rule that forbids one definition of a channel to follow another, with its values; None if none does."""
    if before.canonical_unit != after.canonical_unit:
        return "unit-changed", {"before": before.canonical_unit}
    if before.states is not None and after.states is not None and after.states[: len(before.states)] != before.states:
        return "states-changed", {"before": ", ".join(before.states)}
    return None


def _channels_kept(before: Plan, after: Plan) -> Iterator[Fault]:
    for slot_name, slot in after.slots.items():
        old = before.slots[slot_name].channels if slot_name in before.slots else {}
        for name, channel in slot.channels.items():
            refusal = channel_refusal(old[name], channel) if name in old else None
            if refusal is not None:
                key = "unit" if refusal[0] == "unit-changed" and channel.unit else "states"
                yield fault(("slots", slot_name, "channels", name, key), refusal[0], **refusal[1])


def _looks(plan: Plan) -> list[date]:
    return [*plan.evaluation.interim, plan.evaluation.data_until]


def _seen(before: Plan, after: Plan, now: datetime) -> Iterator[Fault]:
    def past(day: date) -> bool:
        return midnight(day, before.zone) <= now

    seen = [day for day in _looks(before) if past(day)]
    if seen:
        for change in diff(before, after):
            if change.effect == "contract" and _judged(change.way):
                yield fault(change.way, "window-seen", date=seen[-1])
        if _pairs_until(before, seen[-1]) != _pairs_until(after, seen[-1]):
            yield fault(("calibrations",), "window-seen", date=seen[-1])
    for day in sorted(set(seen) ^ {day for day in _looks(after) if past(day)}):
        yield fault(("evaluation",), "date-seen", date=day)
    start_moved = (before.period.start, before.period.timezone) != (after.period.start, after.period.timezone)
    if start_moved and past(min(before.period.start, after.period.start)):
        yield fault(("period", "start"), "start-seen", date=before.period.start)
    if before.period.end != after.period.end and past(min(before.period.end, after.period.end)):
        yield fault(("period", "end"), "date-seen", date=before.period.end)


def _judged(way: Way) -> bool:
    """Whether what was judged by it has been seen. Holidays to come are not: they only say by when an exclusion is asked for."""
    return way[0] in ("kpis", "slots", "overall", "exclusions", "manual", "conditions") and way[:2] != (
        "exclusions",
        "holidays",
    )


def _pairs_until(plan: Plan, day: date) -> list[Calibration]:
    """The calibration pairs of changes that a verdict up to this day has seen."""
    return [one for one in plan.calibrations if one.change < day]


def _unamended(before: Plan, after: Plan) -> Iterator[Fault]:
    if after.amendment is not None and after.amendment != before.amendment:
        return
    for change in diff(before, after):
        if change.effect == "contract":
            yield fault(change.way, "amendment-needed")

"""How far an instrument may be off: its expanded uncertainty, by its certificate, or by the class that is assumed without one.

A certificate's figure counts as it stands, whoever it helps. Without a certificate nobody vouches for what the plan claims: the
default of the instrument's class is held against the claimant (the plan's own figure, where that is larger), and nothing in its
favour. Where a quantity has no class here, nothing is known, and a guarded decision stays open.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from core.units import conversion, parse_quantity, same_dimension
from devices.plan.measures import Share, While
from devices.plan.model import Channel, Kpi, Uncertainty

COVERAGE = 2.0
"""The coverage factor that all expanded uncertainties are brought to: about 95 %, as in the guard band of ILAC-G8:09/2019."""

Basis = Literal["certificate", "class", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassDefault:
    """What is assumed of an instrument without a certificate."""

    korean: str
    english: str
    unit: str
    """In which the value is taken and the absolute part is written."""
    absolute: float
    relative: float
    """As a share of the value."""
    source: str


CLASS_DEFAULTS: tuple[ClassDefault, ...] = (
    ClassDefault(
        korean="온도", english="temperature", unit="degC", absolute=0.3, relative=0.005,
        source="IEC 60751:2022, class B: 0.30 °C + 0.005 |t|",
    ),
    ClassDefault(
        korean="질량 농도(입자, 기체)", english="mass concentration (particles, gases)", unit="ug/m^3", absolute=0.0,
        relative=0.5, source="Directive 2008/50/EC, Annex I A, indicative measurement of PM10 and PM2.5: 50 %",
    ),
    ClassDefault(
        korean="전력", english="electric power", unit="W", absolute=0.0, relative=0.035,
        source="Directive 2014/32/EU, Annex V, class A, 5 to 30 °C: 3.5 %",
    ),
    ClassDefault(
        korean="전력량", english="electric energy", unit="kWh", absolute=0.0, relative=0.035,
        source="Directive 2014/32/EU, Annex V, class A, 5 to 30 °C: 3.5 %",
    ),
    ClassDefault(
        korean="소음도", english="sound level", unit="dB", absolute=2.0, relative=0.0,
        source="IEC 61672-1, class 2, the instrument as a whole: about 2 dB",
    ),
    ClassDefault(
        korean="수량(부피)", english="water volume", unit="m3", absolute=0.0, relative=0.05,
        source="Directive 2014/32/EU, Annex III, from Q1 to Q2: 5 %",
    ),
)  # fmt: skip
"""By quantity, that is by the dimension of a channel's unit. Tolerances of a class are taken as expanded uncertainties.

What stands here has been read somewhere that others can read too:

- temperature: the tolerance of the platinum sensor itself, as makers give it (WIKA, "Pt100 in class B or F 0.3: what does IEC
  60751 say?").
- mass concentration: https://www.legislation.gov.uk/eudr/2008/50/annex/I, part A. It asks 25 % (gases 15 to 25 %) of fixed and
  50 % (gases 25 to 30 %) of indicative measurement; the widest is taken, for particles and gases share one dimension.
- electricity: https://www.legislation.gov.uk/eudr/2014/32/annex/V, table 2. The 2 % of class 2 in IEC 62053-21 hold under
  reference conditions, 3.5 % in use. Outside of 5 to 30 °C the table allows up to 9 %: there a certificate is needed.
- sound: a frequency response within 1.0 dB at 1 kHz is one of several tolerances of class 2; laboratories put the whole at about
  2 dB (Dewesoft, acoustic calibrations). The standard itself was not at hand.
- water: Annex III of the same directive, as makers quote it (B Meters, frequently asked questions): 5 % up to the transitional
  flow rate Q2, above it 2 %, or 3 % in water over 30 °C. A meter's flow is not known here, so the widest is taken.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An expanded uncertainty (k = 2) that grows with the value: ``absolute + relative · |value|``."""

    absolute: float
    relative: float
    unit: str
    """In which the value is taken and the result is given."""

    def at(self, value: float, unit: str) -> float:
        """The uncertainty of a value, both in ``unit``."""
        if unit == self.unit:
            return self.absolute + self.relative * abs(value)
        there, back = conversion(unit, self.unit), conversion(self.unit, unit)
        return (self.absolute + self.relative * abs(there(value))) * abs(back.scale)

    def of_span(self, span: float, unit: str, times: float = 1.0) -> float:
        """That of what is no point on a scale: ``times`` the absolute part, and the share of the span.

        :param unit: the channel's; the span is in it, or in it × time.
        """
        scale = 1.0 if unit == self.unit else abs(conversion(self.unit, unit).scale)
        return self.absolute * scale * times + self.relative * abs(span)


@dataclass(frozen=True, slots=True, kw_only=True)
class Widest:
    """The widest of several bands, at each value."""

    bands: tuple[Band, ...]

    def at(self, value: float, unit: str) -> float:
        """The uncertainty of a value, both in ``unit``."""
        return max(band.at(value, unit) for band in self.bands)

    def of_span(self, span: float, unit: str, times: float = 1.0) -> float:
        """That of what is no point on a scale."""
        return max(band.of_span(span, unit, times) for band in self.bands)


@dataclass(frozen=True, slots=True, kw_only=True)
class Instrument:
    """What is known of one channel's instrument."""

    basis: Basis
    against: Widest | None = None
    """What counts against the claimant; None: nothing is known."""
    in_favour: Widest | None = None
    """What counts in its favour; None: nothing does."""
    certificate: str | None = None
    default: ClassDefault | None = None


def instrument_of(channel: Channel) -> Instrument:
    """What is known of a channel's instrument, by the plan.

    >>> certified = Channel(unit="ug/m^3", period="10 s", uncertainty={"relative": "5 %", "certificate": "KTL-2026-0113"})
    >>> found = instrument_of(certified)
    >>> found.basis, found.against.at(40.0, "ug/m^3") == found.in_favour.at(40.0, "ug/m^3") == 2.0
    ('certificate', True)
    >>> found = instrument_of(Channel(unit="degC", period="10 s"))
    >>> found.basis, round(found.against.at(77.0, "degF"), 3), found.in_favour     # 25 °C: 0.425 °C are 0.765 °F
    ('class', 0.765, None)
    """
    unit = channel.canonical_unit
    given = channel.uncertainty
    claimed = () if given is None else (_band(given, unit),)
    if given is not None and given.certificate is not None:
        certified = Widest(bands=claimed)
        return Instrument(basis="certificate", against=certified, in_favour=certified, certificate=given.certificate)
    default = class_default(unit)
    if default is None:
        return Instrument(basis="unknown")
    band = Band(absolute=default.absolute, relative=default.relative, unit=default.unit)
    return Instrument(basis="class", against=Widest(bands=(band, *claimed)), default=default)


def class_default(unit: str) -> ClassDefault | None:
    """The default of the class that a unit's quantity belongs to; None where the table has none."""
    return next((one for one in CLASS_DEFAULTS if same_dimension(one.unit, unit)), None)


def together(instruments: Sequence[Instrument]) -> Instrument | None:
    """Several instruments whose values are brought together: the least favourable of them; None where there are none.

    Their systematic parts may point the same way, so they are never divided by the root of their number.
    """
    if not instruments:
        return None
    by_rank = sorted(instruments, key=lambda one: ("unknown", "class", "certificate").index(one.basis))
    first = by_rank[0]
    if first.basis == "unknown":
        return first
    certificates = dict.fromkeys(one.certificate for one in instruments if one.certificate is not None)
    return Instrument(
        basis=first.basis,
        against=_widest([one.against for one in instruments]),
        in_favour=_widest([one.in_favour for one in instruments]) if first.basis == "certificate" else None,
        certificate=", ".join(certificates) or None,
        default=next((one.default for one in by_rank if one.default is not None), None),
    )


def _widest(several: Sequence[Widest | None]) -> Widest:
    bands = [band for one in several if one is not None for band in one.bands]
    return Widest(bands=tuple(dict.fromkeys(bands)))


def _band(given: Uncertainty, unit: str) -> Band:
    """As the plan states it, brought to k = 2; its absolute part is in the channel's own unit."""
    scale = COVERAGE / given.k
    relative = 0.0 if given.relative is None else _number(given.relative, "")
    absolute = 0.0 if given.absolute is None else _number(given.absolute, unit)
    return Band(absolute=absolute * scale, relative=relative * scale, unit=unit)


def _number(text: str, unit: str) -> float:
    """A difference in another unit: scaled, never shifted."""
    value, written = parse_quantity(text)
    return value * abs(conversion(written, unit).scale)


def moved(share: Share, channels: Sequence[Channel], band: Widest) -> tuple[Share | None, Share]:
    """A share of time with its limits moved by the uncertainty of a value at them: closer together, and further apart.

    :returns: None for the closer ones, where nothing is left between them.

    >>> pm25 = Channel(unit="ug/m^3", period="10 s", uncertainty={"relative": "5 %", "certificate": "KTL-1"})
    >>> limit = Share.model_validate({"while": {"channel": "pm25", "value": "<= 40 ug/m^3"}})
    >>> [one.while_.value for one in moved(limit, [pm25], instrument_of(pm25).against)]
    ['38.0 ug/m^3 이하', '42.0 ug/m^3 이하']
    """
    bounds = share.while_.bounds
    assert bounds is not None
    unit = channels[0].canonical_unit
    inside = bounds.to(unit)
    low, high = (band.at(end, unit) if math.isfinite(end) else 0.0 for end in (inside.low, inside.high))

    def written(start: float, end: float) -> Share | None:
        if start > end or (start == end and not (inside.low_closed and inside.high_closed)):
            return None
        ends = []
        if math.isfinite(start):
            ends.append(f"{start!r} {unit} {'이상' if inside.low_closed else '초과'}")
        if math.isfinite(end):
            ends.append(f"{end!r} {unit} {'이하' if inside.high_closed else '미만'}")
        condition = While.model_validate({"channel": share.while_.channel, "value": " ".join(ends)})
        return share.model_copy(update={"while_": condition})

    wider = written(inside.low - low, inside.high + high)
    assert wider is not None
    return written(inside.low + low, inside.high - high), wider


def shares_judged(kpi: Kpi, channels: Sequence[Channel]) -> list[Share]:
    """Every share of time that a decision about a KPI looks at: its own, and where it is guarded those with moved limits.

    :param channels: the KPI's channel at each of its slots.
    """
    share = kpi.measure.share
    if share is None:
        return []
    if kpi.rule != "guarded" or share.while_.bounds is None:
        return [share]
    instrument = together([instrument_of(channel) for channel in channels])
    if instrument is None or instrument.against is None:
        return [share]
    return [share, *(one for one in moved(share, channels, instrument.against) if one is not None)]

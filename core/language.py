"""Korean and English: message catalogues, dates and durations as people write them, the words and marks of states.

The source language is Korean: a message's id *is* its Korean text, so Korean needs no catalogue. English lies in
``core/locale/en/LC_MESSAGES/``; every ``.po`` file there is read (one a part of the product, no compiled files), once,
in memory. A message without its English is found by a test, which prints what is to be added.

    _ = translator("en")
    _("모니터링 의견서")          # found by babel's extraction: only ever called with a literal

Words that stand in a table at module level are marked with :func:`N_` and translated where they are used.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from gettext import GNUTranslations, NullTranslations
from importlib.resources import files
from io import BytesIO
from types import MappingProxyType
from zoneinfo import ZoneInfo

from core.units import shown_unit
from core.window import Window

LANGUAGES = ("ko", "en")
SOURCE = "ko"


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it
    """Mark a message for extraction without translating it here."""
    return message


@cache
def catalogue(language: str) -> NullTranslations:
    """The translations of a language, for Jinja's ``install_gettext_translations`` and for plurals.

    :raises ValueError: it is none of :data:`LANGUAGES`.
    """
    if language not in LANGUAGES:
        raise ValueError(f"{language!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")
    first = NullTranslations()
    if language == SOURCE:
        return first
    # Imported here: Korean, the language of most pages, needs neither.
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    folder = files("core").joinpath("locale", language, "LC_MESSAGES")
    texts = sorted((entry for entry in folder.iterdir() if entry.name.endswith(".po")), key=lambda entry: entry.name)
    for entry in reversed(texts):
        compiled = BytesIO()
        write_mo(compiled, read_po(BytesIO(entry.read_bytes()), locale=language))
        compiled.seek(0)
        translations = GNUTranslations(compiled)
        translations.add_fallback(first)
        first = translations
    return first


def translator(language: str) -> Callable[[str], str]:
    """The function that turns a Korean message into ``language``.

    >>> translator("ko")("정상")
    '정상'
    """
    return catalogue(language).gettext


# --- States


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """How a status or verdict is shown: a mark, a word and a tone, so that it reads without colour."""

    code: str
    mark: str
    korean: str
    tone: str
    """``good``, ``watch``, ``bad``, ``open`` or ``none``: which colours it takes."""

    def word(self, language: str) -> str:
        return catalogue(language).gettext(self.korean)


_STATES = (
    State(code="on_track", mark="✓", korean=N_("정상"), tone="good"),
    State(code="watch", mark="▲", korean=N_("주의"), tone="watch"),
    State(code="at_risk", mark="✕", korean=N_("미달 우려"), tone="bad"),
    State(code="insufficient", mark="–", korean=N_("자료 부족"), tone="none"),
    State(code="met", mark="✓", korean=N_("달성"), tone="good"),
    State(code="not_met", mark="✕", korean=N_("미달성"), tone="bad"),
    State(code="inconclusive", mark="◐", korean=N_("판정 유보"), tone="open"),
)
STATES: Mapping[str, State] = MappingProxyType({state.code: state for state in _STATES})
"""Every status of a month and every verdict, by its code."""


def particle(word: str, after_consonant: str, after_vowel: str) -> str:
    """The form of a Korean particle that follows a word; both where the word ends in neither Hangul nor a per cent sign.

    >>> particle("가동률", "은", "는"), particle("시간 (95백분위)", "은", "는"), particle("F1", "은", "는")
    ('은', '는', '은(는)')
    >>> particle("상위 5 %", "은", "는")
    '는'
    """
    last = word.rstrip(")]\"'”’ ")[-1:]
    if last in ("%", "％"):  # read 퍼센트
        return after_vowel
    if not "가" <= last <= "힣":
        return f"{after_consonant}({after_vowel})"
    return after_consonant if (ord(last) - ord("가")) % 28 else after_vowel


# --- Dates, times, durations

_WEEKDAYS = {"ko": "월화수목금토일", "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")}
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def date_text(day: date, language: str, *, weekday: bool = True) -> str:
    """A calendar day.

    >>> date_text(date(2026, 3, 14), "ko"), date_text(date(2026, 3, 14), "en", weekday=False)
    ('2026. 3. 14.(토)', '14 Mar 2026')
    """
    name = _WEEKDAYS[language][day.weekday()]
    if language == "ko":
        return f"{day.year}. {day.month}. {day.day}." + (f"({name})" if weekday else "")
    return f"{day.day} {_MONTHS[day.month - 1]} {day.year}" + (f" ({name})" if weekday else "")


def time_text(instant: datetime, zone: ZoneInfo, language: str, *, seconds: bool = False) -> str:
    """An instant as the wall clock of a zone shows it.

    >>> from datetime import UTC
    >>> time_text(datetime(2026, 3, 14, 0, 30, tzinfo=UTC), ZoneInfo("Asia/Seoul"), "ko")
    '2026. 3. 14.(토) 09:30'

    :raises ValueError: the datetime has no zone.
    """
    if instant.tzinfo is None:
        raise ValueError(f"A naive datetime is no instant: {instant.isoformat()}; give it a zone.")
    local = instant.astimezone(zone)
    return (
        f"{date_text(local.date(), language)} {local:%H:%M:%S}"
        if seconds
        else f"{date_text(local.date(), language)} {local:%H:%M}"
    )


def month_text(month: str, language: str) -> str:
    """A month ``YYYY-MM``.

    >>> month_text("2026-05", "ko"), month_text("2026-05", "en")
    ('2026년 5월', 'May 2026')
    """
    year, number = int(month[:4]), int(month[5:])
    return f"{year}년 {number}월" if language == "ko" else f"{_MONTHS[number - 1]} {year}"


def days_text(first: date, last: date, language: str, *, year: bool = True) -> str:
    """A range of calendar days, both of which belong to it.

    >>> days_text(date(2026, 3, 1), date(2026, 3, 31), "ko", year=False)
    '3. 1. ~ 3. 31.'
    >>> days_text(date(2026, 3, 1), date(2027, 2, 28), "ko")
    '2026. 3. 1. ~ 2027. 2. 28.'
    >>> days_text(date(2026, 3, 1), date(2026, 3, 31), "en")
    '1 Mar – 31 Mar 2026'
    """
    same = first.year == last.year
    if language == "ko":
        start, end = f"{first.month}. {first.day}.", f"{last.month}. {last.day}."
        if year or not same:
            start = f"{first.year}. {start}"
        return start if first == last else f"{start} ~ {end if same else f'{last.year}. {end}'}"
    start, end = (f"{day.day} {_MONTHS[day.month - 1]}" for day in (first, last))
    if first == last:
        return f"{start} {first.year}" if year else start
    if not same:
        start = f"{start} {first.year}"
    return f"{start} – {end} {last.year}" if year or not same else f"{start} – {end}"


def window_text(window: Window, zone: ZoneInfo, language: str) -> str:
    """The calendar days of a half-open window, the last one named being the last that belongs to it."""
    first = window.start.astimezone(zone).date()
    last = (window.end - timedelta(microseconds=1)).astimezone(zone).date()
    return days_text(first, max(first, last), language)


_UNITS_OF_TIME = {"ko": ("일", "시간", "분", "초"), "en": (" d", " h", " min", " s")}


def duration_text(seconds: float, language: str) -> str:
    """A length of time in its two largest units, rounded to the smaller.

    >>> duration_text(187_200, "ko"), duration_text(5_430, "ko"), duration_text(42.4, "en"), duration_text(0.4, "ko")
    ('2일 4시간', '1시간 31분', '42 s', '0초')
    """
    sizes = (86_400, 3_600, 60, 1)
    largest = next((place for place, size in enumerate(sizes) if seconds >= size), 3)
    smaller = sizes[min(largest + 1, 3)]
    left = int(seconds / smaller + 0.5) * smaller  # may round up into the next larger unit
    parts = []
    for size, name in zip(sizes, _UNITS_OF_TIME[language], strict=True):
        count, left = divmod(left, size)
        if count:
            parts.append(f"{count}{name}")
    return " ".join(parts[:2]) or f"0{_UNITS_OF_TIME[language][-1]}"


# --- Units beside numbers

_UNIT_WORDS = frozenset(
    {
        N_("건"),
        N_("회"),
        N_("명"),
        N_("대"),
        N_("점"),
        N_("대·일"),
        N_("카메라·일"),
        N_("대·시간"),
        N_("카메라·시간"),
        N_("주민·일"),
    }
)
_TIMES = {"초": "s", "분": "min", "시간": "h", "일": "d", "주": "week"}
_BELOW = {
    "대·일": "device-day", "카메라·일": "camera-day", "대·시간": "device-hour", "카메라·시간": "camera-hour",
    "주민·일": "resident-day", **_TIMES
}  # fmt: skip


def unit_text(unit: str, language: str) -> str:
    """A unit as it is printed beside a number; Korean counting words are translated.

    >>> unit_text("ug/m^3", "ko"), unit_text("case", "ko"), unit_text("건/(1000 km)", "ko"), unit_text("건/대·일", "en")
    ('µg/m³', '건', '건/1,000 km', 'per device-day')
    """
    shown = shown_unit(unit)
    if language == "ko" or shown in _TIMES:
        return shown if language == "ko" else _TIMES[shown]
    above, slash, below = shown.partition("/")
    if slash and above in _UNIT_WORDS:
        many, blank, name = below.rpartition(" ")
        below = f"{many}{blank}{_BELOW.get(name, name)}"
        return f"per {below}" if above == "건" else f"{catalogue(language).gettext(above)} per {below}"
    return catalogue(language).gettext(shown) if shown in _UNIT_WORDS else shown


def with_unit(number: str, unit: str, language: str) -> str:
    """A printed number with its unit beside it.

    >>> with_unit("97.1", "%", "ko"), with_unit("3", "case", "ko"), with_unit("–", "%", "ko"), with_unit("9.5", "deg", "en")
    ('97.1 %', '3건', '–', '9.5°')
    """
    shown = unit_text(unit, language)
    if not shown or not any(character.isdigit() for character in number):
        return number
    attached = shown == "°" or (language == "ko" and (shown.partition("/")[0] in _UNIT_WORDS or shown in _TIMES))
    return f"{number}{shown}" if attached else f"{number} {shown}"

"""Messages, dates and words in both languages: nothing that people read lacks its English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime
from io import BytesIO
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from hypothesis import given
from hypothesis import strategies as st

import core
from core.language import (
    LANGUAGES,
    STATES,
    catalogue,
    days_text,
    duration_text,
    particle,
    time_text,
    translator,
    unit_text,
    with_unit,
)

ROOT = Path(core.__file__).parent.parent
PACKAGES = ("core", "devices", "ingest", "telemetry", "kpi", "dashboards", "simulators", "pilotbed")
# Every way in which our code names a message.
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None, "say": None}
METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2"), ("**/templates/**.txt", "jinja2")]
PLACEHOLDER = re.compile(r"%\((\w+)\)")


def messages() -> Iterator[tuple[str, str | tuple[str, ...]]]:
    """All messages of the product, with where they stand."""
    for package in PACKAGES:
        folder = ROOT / package
        for name, line, message, _comments, _context in extract_from_dir(folder, METHODS, keywords=KEYWORDS):
            yield f"{package}/{name}:{line}", message


def first(message: str | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def test_the_extraction_sees_python_and_templates() -> None:
    found = {first(message): place for place, message in messages()}
    assert found["미달 우려"].startswith("core/language.py")
    assert len(found) > 20


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "ko"])
def test_every_message_is_translated(language: str) -> None:
    known = catalogue(language)
    missing = {
        first(message): place
        for place, message in messages()
        if first(message) and re.search("[가-힣]", first(message)) and known.gettext(first(message)) == first(message)
    }
    text = "\n".join(f'# {place}\nmsgid "{message}"\nmsgstr ""\n' for message, place in missing.items())
    assert not missing, f"{len(missing)} messages have no {language} text. Add to core/locale/{language}:\n\n{text}"


def test_translations_keep_their_placeholders() -> None:
    for file in sorted((ROOT / "core" / "locale").glob("*/LC_MESSAGES/*.po")):
        for message in read_po(BytesIO(file.read_bytes())):
            source, target = message.id, message.string
            if not source or isinstance(source, tuple) or isinstance(target, tuple):
                continue
            # A Korean particle has no English.
            wanted = set(PLACEHOLDER.findall(source)) - {"topic", "to"}
            assert wanted == set(PLACEHOLDER.findall(str(target))), (file.name, source)


def test_no_message_has_two_translations() -> None:
    found: dict[str, tuple[str, str]] = {}
    for file in sorted((ROOT / "core" / "locale" / "en" / "LC_MESSAGES").glob("*.po")):
        for message in read_po(BytesIO(file.read_bytes())):
            told = (file.name, str(message.string))
            if message.id and found.setdefault(str(message.id), told)[1] != told[1]:
                pytest.fail(f"{message.id!r} is {found[str(message.id)]} and {told}: use one, or another Korean text.")


def test_a_language_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="'fr' is no language of Pilotbed; choose one of: ko, en"):
        catalogue("fr")


def test_states_have_a_mark_a_word_and_a_tone_in_each_language() -> None:
    for language in LANGUAGES:
        for kind in (
            ("on_track", "watch", "at_risk", "insufficient"),
            ("met", "not_met", "inconclusive", "insufficient"),
        ):
            shown = [(STATES[code].mark, STATES[code].word(language), STATES[code].tone) for code in kind]
            assert all(all(part for part in state) for state in shown)
            # Each of the three tells the states apart by itself: without colour, without words.
            assert [len({state[place] for state in shown}) for place in range(3)] == [4, 4, 4]


def test_dates_as_korean_offices_write_them() -> None:
    assert time_text(datetime(2026, 3, 14, 0, 30, tzinfo=UTC), ZoneInfo("Asia/Seoul"), "ko") == "2026. 3. 14.(토) 09:30"
    assert days_text(date(2026, 3, 1), date(2026, 3, 31), "ko", year=False) == "3. 1. ~ 3. 31."
    assert days_text(date(2026, 12, 30), date(2027, 1, 2), "en", year=False) == "30 Dec 2026 – 2 Jan 2027"


def test_a_naive_instant_is_refused() -> None:
    with pytest.raises(ValueError, match="A naive datetime is no instant"):
        time_text(datetime(2026, 3, 14), ZoneInfo("UTC"), "ko")  # noqa: DTZ001 - that is the point


@given(st.floats(min_value=0, max_value=4e8))
def test_a_printed_duration_is_right_to_its_smaller_unit(seconds: float) -> None:
    sizes = {"d": 86_400, "h": 3_600, "min": 60, "s": 1}
    parts = re.findall(r"(\d+) (d|h|min|s)\b", duration_text(seconds, "en"))
    names = [name for _, name in parts]
    told = sum(int(count) * sizes[name] for count, name in parts)
    assert 1 <= len(parts) <= 2
    assert names == sorted(names, key=lambda name: -sizes[name])
    order = list(sizes)
    smaller = sizes[order[min(order.index(names[0]) + 1, 3)]]
    assert abs(told - seconds) <= smaller / 2 + 1e-6 or abs(told - seconds) <= 30 * (seconds >= 3_599.5)


def test_units_in_both_languages() -> None:
    assert with_unit("3", "case", "ko") == "3건"
    assert with_unit("3", "case", "en") == "3 cases"
    assert with_unit("12.5", "ug/m^3", "en") == "12.5 µg/m³"
    assert unit_text("1", "ko") == ""


def test_particles_follow_the_last_sound() -> None:
    assert particle("가동률", "을", "를") == "을"
    assert particle("임무 수", "을", "를") == "를"
    assert translator("ko")("아무 말") == "아무 말"

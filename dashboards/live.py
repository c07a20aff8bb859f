"""How long ago each pilot was last heard: on the page when it is made, and again every few seconds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from core.database import Connection
from core.language import N_
from core.sql import load
from dashboards.users import Person
from dashboards.wording import Wording

_SQL = load("dashboards", "pilots.sql")
LEAST_SILENCE_S: Final = 900.0
"""Nobody is called silent before so long, however short its periods are: this only says what a person should look at."""
WITHOUT_PERIOD_S: Final = 86_400.0
"""A slot without a periodic channel speaks when something changes: silent after a day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """When a pilot was last heard."""

    last_received: datetime | None
    slots: int
    silent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkWord:
    """Whether data arrive, in a word with its mark."""

    code: str
    tone: str
    mark: str
    word: str


_NEVER: Final = LinkWord(code="never", tone="none", mark="–", word=N_("수신 전"))
_ALL: Final = LinkWord(code="all", tone="good", mark="✓", word=N_("수신 중"))
_SOME: Final = LinkWord(code="some", tone="watch", mark="▲", word=N_("일부 신호 없음"))
_NONE: Final = LinkWord(code="none", tone="bad", mark="✕", word=N_("신호 없음"))


def heard(
    connection: Connection, person: Person, name: str | None = None, now: datetime | None = None
) -> dict[int, Heard]:
    """By pilot id, for every pilot that the person sees, or for one."""
    asked = {
        "person": person.person_id,
        "name": name,
        "now": now or datetime.now(UTC),
        "least_s": LEAST_SILENCE_S,
        "unknown_s": WITHOUT_PERIOD_S,
    }
    rows = connection.execute(_SQL["last_received"], asked)
    return {
        row["pilot_id"]: Heard(last_received=row["last_received"], slots=row["slots"], silent=row["silent"])
        for row in rows
    }


def link_word(found: Heard) -> LinkWord:
    """Whether data arrive."""
    if found.last_received is None:
        return _NEVER
    if found.silent == 0:
        return _ALL
    return _NONE if found.silent >= found.slots else _SOME


def live_of(connection: Connection, person: Person, words: Wording, name: str | None = None) -> dict[str, Any]:
    """What the page's script shows: texts and states by pilot id."""
    now = datetime.now(UTC)
    texts: dict[str, str] = {}
    states: dict[str, dict[str, str]] = {}
    for pilot_id, found in heard(connection, person, name, now).items():
        state = link_word(found)
        word = words.say(state.word)
        texts[str(pilot_id)] = words.ago(found.last_received, now)
        states[str(pilot_id)] = {
            "code": state.code,
            "tone": state.tone,
            "mark": state.mark,
            "word": word,
            "said": words.say(N_("수신 상태가 바뀌었습니다: %(word)s"), word=word),
        }
    return {"texts": texts, "states": states}

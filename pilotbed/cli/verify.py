"""``pilotbed verify``: check a bundle, and judge by it again, with no database and no network."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from core.errors import PermanentError
from core.settings import settings
from pilotbed.cli.bar import progress

if TYPE_CHECKING:  # imported where it is needed, so that --help is there at once
    from kpi.bundle.told import Verified

_MARKS: Final = {"agrees": "✓", "differs": "✕", "unchecked": "·"}


def verify(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The bundle.")],
    key: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The key that signs, as you have it from elsewhere: seal-keys.json, PEM, or a fingerprint.",
        ),
    ] = None,
    timestamp_ca: Annotated[
        Path | None, typer.Option(metavar="FILE", help="The root certificate of the time-stamping authority.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object on stdout.")] = False,
    language: Annotated[str | None, typer.Option("--lang", help="ko or en; PILOTBED_LANGUAGE if left out.")] = None,
) -> None:
    """Check a bundle's bytes and seals, then compute every result again from its readings. Ends with 1 if anything differs.

    It needs no database and no network.
    """
    from core.language import LANGUAGES
    from kpi.bundle.verify import verify as check

    told_in = language or settings().language
    if told_in not in LANGUAGES:
        raise PermanentError(f"--lang {told_in!r} is no language of Pilotbed; choose one of: {', '.join(LANGUAGES)}.")
    with progress("확인" if told_in == "ko" else "verifying") as tell:
        found = check(file, keys=key, ca=timestamp_ca, heard=lambda _step, done, total: tell(done, total))
    if as_json:
        print(json.dumps(plain(found), ensure_ascii=False))
    else:
        typer.echo("\n".join(told(found, told_in)))
    if not found.sound:
        raise typer.Exit(1)


def told(found: Verified, language: str) -> list[str]:
    """The lines that a person reads; the last one is the answer."""
    lines = [f"{_MARKS[line.state]} {line.text(language)}" for line in found.lines]
    faults = found.faults
    if faults:
        end = f"다름: {faults[0].ko}" if language == "ko" else f"It differs: {faults[0].en}"
    elif language == "ko":
        end = "봉인된 자료에서 모든 판정이 같게 나옵니다."
        end += "" if found.facts.get("key_checked") else " 다만 서명 열쇠가 누구의 것인지는 확인되지 않았습니다."
    else:
        end = "Every result follows from the sealed data."
        end += "" if found.facts.get("key_checked") else " Whose the signing key is was not checked."
    return [*lines, end]


def plain(found: Verified) -> dict[str, object]:
    """The same as data."""
    return {
        "path": found.path, "sound": found.sound, **found.facts,
        "first_difference": found.faults[0].en if found.faults else None,
        "lines": [{"about": line.about, "state": line.state, "ko": line.ko, "en": line.en} for line in found.lines],
    }  # fmt: skip

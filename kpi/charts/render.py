"""One specification, two places: SVG for documents here, the browser's own drawing on pages.

vl-convert takes half a second to start and some hundredths of a second a chart, so both are kept.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import Any

from core.errors import EnvironmentProblem
from kpi.charts.look import DOCUMENT_FONT, WEB_FONT, clean

_FONT_PACKAGE = "koreanize-matplotlib"
_FONTS = ("NanumGothic.ttf", "NanumGothicBold.ttf")
_LOCALES = {"ko": "ko-KR", "en": "en-GB"}


@cache
def font_files() -> tuple[Path, ...]:
    """The Korean fonts of all documents: NanumGothic (OFL), regular and bold, from the files of a package.

    The package itself is not imported: it would bring matplotlib with it.

    :raises EnvironmentProblem: the package or one of its fonts is missing.
    """
    try:
        listed = distribution(_FONT_PACKAGE).files or []
    except PackageNotFoundError:
        raise EnvironmentProblem(
            f"The package {_FONT_PACKAGE} is not installed; documents take their Korean font from it. Run: make setup"
        ) from None
    found = {entry.name: Path(str(entry.locate())).resolve() for entry in listed if entry.name in _FONTS}
    missing = [name for name in _FONTS if name not in found or not found[name].is_file()]
    if missing:
        raise EnvironmentProblem(
            f"The package {_FONT_PACKAGE} has no file {missing[0]}. Install version 0.1.1: make setup"
        )
    return tuple(found[name] for name in _FONTS)


def svg(spec: dict[str, Any], *, language: str = "ko") -> bytes:
    """The SVG of a specification, in the documents' font; its text stays text."""
    return _svg(json.dumps(clean(spec), ensure_ascii=False, sort_keys=True), language)


@lru_cache(maxsize=256)
def _svg(text: str, language: str) -> bytes:
    convert = _converter()
    # The font has the Greek letter (U+03BC, which Unicode prefers), not the micro sign.
    drawn: str = convert.vegalite_to_svg(
        text.replace("µ", "μ"),
        config={"font": DOCUMENT_FONT, "background": "transparent"},
        format_locale=_numbers(language),
        time_format_locale=_LOCALES[language],
        allowed_base_urls=[],
    )
    return drawn.encode()


@cache
def _converter() -> Any:
    import vl_convert

    vl_convert.register_font_directory(str(font_files()[0].parent))
    return vl_convert


@cache
def _numbers(language: str) -> dict[str, Any]:
    """How numbers are written: a negative one with a hyphen, as everywhere else. The documents' font has no minus sign."""
    found: dict[str, Any] = _converter().get_format_locale(_LOCALES[language])
    return {**found, "minus": "-"}


@cache
def embed_options(language: str) -> dict[str, Any]:
    """What a page passes to ``vegaEmbed`` beside a specification.

    ``ast`` makes it interpret expressions, so that a strict content security policy needs no ``unsafe-eval``.
    """
    convert = _converter()
    return {
        "actions": False,
        "defaultStyle": False,
        "ast": True,
        "renderer": "svg",
        "config": {"font": WEB_FONT},
        "formatLocale": _numbers(language),
        "timeFormatLocale": convert.get_time_format_locale(_LOCALES[language]),
    }

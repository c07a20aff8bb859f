"""Setting a document: a template, a view of ready texts, the fonts by name; the same input gives the same bytes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from importlib.resources import as_file, files
from typing import Any

import typst

from core.errors import PermanentError
from core.window import micros
from kpi.charts.render import font_files


@cache
def _fonts() -> typst.Fonts:
    """The Korean font's files and those that typst carries; never the machine's own."""
    return typst.Fonts(include_system_fonts=False, include_embedded_fonts=True, font_paths=[font_files()[0].parent])


def typeset(template: str, view: Mapping[str, Any], *, at: datetime) -> bytes:
    """The PDF of a template of ``kpi/reports/templates`` with its view: fit for an archive (PDF/A-2a) and for a screen
    reader (PDF/UA-1).

    ``at`` is the instant that the file names as its creation: the data's, not the clock's.

    :raises PermanentError: typst refuses the template or the view.
    """
    with as_file(files("kpi.reports").joinpath("templates")) as folder:
        try:
            made = typst.compile(
                folder / template,
                root=folder,
                font_paths=_fonts(),
                ignore_system_fonts=True,
                format="pdf",
                pdf_standards=["a-2a", "ua-1"],
                sys_inputs={"view": json.dumps(view, ensure_ascii=False)},
                timestamp=micros(at) // 1_000_000,
            )
        except typst.TypstError as error:
            raise PermanentError(
                f"The document {template} could not be set: {error.message}. This is a fault of the template, not of the data."
            ) from error
    return bytes(made)

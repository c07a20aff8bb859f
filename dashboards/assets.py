"""Static files under names that carry their own hash, so that browsers keep them for ever; compressed once, in memory."""

from __future__ import annotations

import gzip
import hashlib
import threading
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Final

from core.errors import NotFound
from core.files import write_whole

_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}
_CHART_LIBRARY: Final = "vega.js"
_making = threading.Lock()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """One file as it is sent."""

    name: str
    kind: str
    body: bytes
    gzipped: bytes
    tag: str


def _asset(name: str, body: bytes) -> Asset:
    stem, _, ending = name.rpartition(".")
    digest = hashlib.sha256(body).hexdigest()
    return Asset(
        name=f"{stem}.{digest[:12]}.{ending}",
        kind=_TYPES[ending],
        body=body,
        gzipped=gzip.compress(body, compresslevel=6, mtime=0),
        tag=f'"{digest[:24]}"',
    )


@cache
def _ours() -> dict[str, Asset]:
    """The files of ``static/`` by their plain names."""
    folder = files("dashboards").joinpath("static")
    names = sorted(entry.name for entry in folder.iterdir() if entry.name.rpartition(".")[2] in _TYPES)
    return {name: _asset(name, folder.joinpath(name).read_bytes()) for name in names}


def address(name: str) -> str:
    """Where a file of ``static/`` is served."""
    return f"/static/{_ours()[name].name}"


def asset(hashed: str) -> Asset:
    """The file of a hashed name.

    :raises NotFound: there is none; a page of an older version may still ask.
    """
    for one in _ours().values():
        if one.name == hashed:
            return one
    raise NotFound(f"There is no static file {hashed!r}.")


_library: dict[Path, Asset] = {}


def chart_library(folder: Path) -> Asset:
    """Vega, Vega-Lite and Vega-Embed in one file, made by vl-convert (two seconds), kept in ``folder`` from then on."""
    with _making:
        if folder not in _library:
            _library[folder] = _asset(_CHART_LIBRARY, _bundle(folder))
        return _library[folder]


def _bundle(folder: Path) -> bytes:
    import vl_convert

    path = folder / f"vega-{version('vl-convert-python')}.js"
    if path.is_file():
        return path.read_bytes()
    body = str(vl_convert.javascript_bundle("window.vegaEmbed = vegaEmbed;")).encode()
    folder.mkdir(parents=True, exist_ok=True)
    write_whole(path, body)
    return body

"""One version everywhere."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pilotbed
from core.version import VERSION


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert project["version"] == VERSION == pilotbed.__version__

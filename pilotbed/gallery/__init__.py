"""The gallery: an example plan for each row of the KPI catalogue, run on what its site sent, compared with the known answer."""

from __future__ import annotations

from pilotbed.gallery.example import Example, examples
from pilotbed.gallery.run import Ran, run

__all__ = ["Example", "Ran", "examples", "run"]

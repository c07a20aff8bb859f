"""Tables on the terminal: plain columns, as wide as the terminal; wide where the output goes into a file or a pipe."""

from __future__ import annotations

import os
import sys

from rich.console import Console
from rich.table import Table

_WIDE = 200


def columns(*heads: str) -> Table:
    """An empty table with these heads."""
    return Table(*heads, box=None, pad_edge=False, header_style="dim")


def show(*tables: Table) -> None:
    """Print tables on stdout."""
    free = not sys.stdout.isatty() and "COLUMNS" not in os.environ
    console = Console(width=_WIDE if free else None, highlight=False)
    for table in tables:
        console.print(table)

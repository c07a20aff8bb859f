"""``python -m pilotbed``: the same as the command ``pilotbed``."""

from __future__ import annotations

from pilotbed.cli import main

if __name__ == "__main__":
    main()

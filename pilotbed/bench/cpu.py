"""CPU time of a question and its answer: what it costs, whatever else the machine does meanwhile."""

from __future__ import annotations

import os
import time
from pathlib import Path

from core.database import Connection


def used_s(connection: Connection) -> float:
    """Seconds of CPU used so far by this process, and by the server's process behind a connection if it runs on this machine.

    Linux tells the latter to a hundredth of a second; elsewhere it is left out.
    """
    own = time.process_time()
    stat = Path(f"/proc/{connection.info.backend_pid}/stat")
    try:
        name, _, rest = stat.read_text(encoding="utf-8", errors="replace").rpartition(")")
    except OSError:
        return own
    if connection.info.host not in ("127.0.0.1", "localhost", "::1") or not name.endswith("(postgres"):
        return own
    fields = rest.split()
    return own + (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

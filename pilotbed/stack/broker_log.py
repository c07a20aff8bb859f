"""The broker's log, kept small: what matters stays, with its time; a line for every single message does not.

Mosquitto acknowledges a denied publish as a success in MQTT 3.1.1, and tells of it only at its debug level, four lines a
message. So its log goes through a pipe to this program, which keeps the denials and the rest worth reading. Time stamps
are set here, because they are what makes the broker's own logging dear (45 µs of CPU a message with them, 25 without, 23
with no debug level at all). If this program dies the broker goes on, and writes again when it is back.

    python -m pilotbed.stack.broker_log PIPE FILE [--echo]
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import sys
import time
from pathlib import Path
from typing import Final

from pilotbed.stack.log_file import LogFile

_PAUSE_S: Final = 0.02
"""Between two reads: waking for each of the broker's lines takes twenty times the CPU. A full pipe would hold the broker
up: 1 MB lasts 2,700 messages, so 135,000 a second."""
_PAUSE_SMALL_PIPE_S: Final = 0.002
"""The same where a pipe cannot be enlarged and holds 64 kB."""

_COMMON: Final = (b"Received ", b"Sending ", b"Saving in-memory database", b"No will message specified", b"\t")
_RARE: Final = re.compile(
    rb"^(?!" + b"|".join(re.escape(start) for start in _COMMON) + rb"|Client <unknown> closed its connection).+$", re.M
)


def worth_keeping(chunk: bytes) -> list[bytes]:
    """The lines of ``chunk`` (whole lines) that are more than the passing of one message."""
    # Counting is a hundred times quicker than matching, and under load nearly every chunk is common throughout.
    begun = b"\n" + chunk
    if sum(begun.count(b"\n" + start) for start in _COMMON) == chunk.count(b"\n"):
        return []
    return _RARE.findall(chunk)


def keep(pipe: Path, file: Path, *, echo: bool = False) -> None:
    """Read ``pipe`` until we are ended, and write what is worth keeping to ``file``.

    :param echo: print it, too.
    """
    # Opened for writing too, so that it never ends, whoever else opens and closes it.
    source = os.open(pipe, os.O_RDWR)
    pause_s = _PAUSE_SMALL_PIPE_S
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(source, fcntl.F_SETPIPE_SZ, 1024 * 1024)
        pause_s = _PAUSE_S
    log = LogFile(file)
    rest = b""
    while True:
        read = rest + os.read(source, 1024 * 1024)
        time.sleep(pause_s)
        whole = read.rfind(b"\n") + 1
        rest = read[whole:]
        lines = worth_keeping(read[:whole])
        if lines:
            log.write(lines)
            if echo:
                print(b"\n".join(lines).decode(errors="replace"), flush=True)


if __name__ == "__main__":
    keep(Path(sys.argv[1]), Path(sys.argv[2]), echo="--echo" in sys.argv[3:])

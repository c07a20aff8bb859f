"""The broker's configuration file. Each choice that can cost somebody data says why it stands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final, NamedTuple

from pilotbed.stack.broker_tls import Tls

LARGEST_PACKET_BYTES: Final = 8 * 1024 * 1024
"""Above what the collector takes whole, so that a message of some megabytes is quarantined by head and hash, where its
sender sees it. Beyond this the broker cuts the sender off."""


_THINNED_LOG: Final = """\
# Denied publishes are told of at the debug level only. The reader of this output keeps those, and sets the time. (From
# 2.0.14 on the broker takes no pipe for a log file; before, it held lines for its standard output back.)
log_dest stderr
log_type all
log_timestamp false
"""
_STANDARD_LOG: Final = """\
# Without a reader that thins it the debug level stays off, because it has lines for every message; and with it the only
# word of denied publishes. The information level tells of each save.
log_dest stdout
log_type error
log_type warning
log_type notice
log_timestamp true
log_timestamp_format %Y-%m-%dT%H:%M:%S
"""


class Listener(NamedTuple):
    """Where the broker listens."""

    host: str
    port: int
    tls: Tls | None = None


def configuration_text(
    *,
    listeners: Sequence[Listener],
    plugin: Path,
    users_file: Path,
    state: Path,
    thinned: bool,
    pid_file: Path,
) -> str:
    """What Mosquitto reads at its start.

    :param state: the folder of its database.
    :param thinned: whether :mod:`pilotbed.stack.broker_log` reads what it says, from its standard error.
    """
    logging = _THINNED_LOG if thinned else _STANDARD_LOG
    listening = "\n".join(_listening(listener) for listener in listeners)
    return f"""\
# Generated anew at each start: changes here are lost.
per_listener_settings false
# Without use_username_as_clientid any device could connect under the collector's client id and destroy its
# queue. It holds for the listener above it only, whatever per_listener_settings says.
{listening}

# Who may connect, and where they may speak: users.json, everything else is denied.
allow_anonymous false
plugin {plugin}
plugin_opt_config_file {users_file}

# Sessions and queues survive a restart, and are saved each second. Saving by number of changes
# (autosave_on_changes) falls to a hundred messages a second and still loses the last.
persistence true
persistence_location {state}/
persistence_file mosquitto.db
autosave_interval 1
autosave_on_changes false
# A collector that is away for long keeps its session: persistent_client_expiration stays unset.

# The broker drops nothing: no bound by count (the default is 1000) or by bytes, which drop silently
# what was acknowledged. QoS 0 is queued too. The count is the largest number there is: at 0, which
# means unbounded as well, 2.0.11 cuts off a client whose publish was denied.
max_queued_messages 2147483647
max_queued_bytes 0
queue_qos0_messages true
# How many messages a collector may have unacknowledged: all that packet ids allow. Its own high-water
# mark bounds it, because it acknowledges only after its commit.
max_inflight_messages 65535
max_packet_size {LARGEST_PACKET_BYTES}
retain_available true
# memory_limit stays unset: at the limit 2.0.11 cuts off senders without an acknowledgement, which is
# right, but the collector too, so that nobody can empty the queue, and after a restart it cannot open
# its own database. The local stack shuts the devices' listener before memory runs out instead.

{logging}connection_messages true
pid_file {pid_file}
sys_interval 1
"""


def _listening(listener: Listener) -> str:
    lines = [f"listener {listener.port} {listener.host}", "use_username_as_clientid true"]
    if listener.tls is not None:
        # The oldest version that is taken, not the only one.
        lines += ["tls_version tlsv1.2", f"certfile {listener.tls.certificate}", f"keyfile {listener.tls.key}"]
        if listener.tls.client_ca is not None:
            # A certificate says that a device is one of ours; its user and password say which, and its secret can be
            # renewed and withdrawn within a second.
            lines += [f"cafile {listener.tls.client_ca}", "require_certificate true", "use_identity_as_username false"]
    return "\n".join(lines)

"""TCP ports: a free one, or a check that a wanted one is."""

from __future__ import annotations

import errno
import socket

from core.errors import EnvironmentProblem


def free_port(host: str = "127.0.0.1") -> int:
    """A port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def is_free(host: str, port: int) -> bool:
    """Whether a server could listen there now.

    :raises EnvironmentProblem: the address itself is not ours, or the port needs privileges.
    """
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno == errno.EADDRINUSE:
                return False
            raise EnvironmentProblem(
                f"Nothing can listen on {host}:{port}: {error.strerror}. Choose another."
            ) from error
    # Elsewhere than on Linux a second server may bind beside one that listens on all addresses.
    return not answers(host, port, timeout_s=0.2)


def require_free(host: str, port: int, *, what: str, setting: str) -> None:
    """Check a wanted port before anything is started.

    :raises EnvironmentProblem: it is taken; the message names the setting that changes it.
    """
    if port and not is_free(host, port):
        raise EnvironmentProblem(
            f"Port {port} on {host}, wanted for {what}, is in use by another program: stop that, or set {setting}"
            " to another port (0 takes a free one)."
        )


def answers(host: str, port: int, *, timeout_s: float = 1.0) -> bool:
    """Whether something accepts connections there."""
    try:
        with socket.create_connection((host, port), timeout=timeout_s):
            return True
    except OSError:
        return False

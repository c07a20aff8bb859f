"""How the application is served: uvicorn in this process, on a socket that already listens."""

from __future__ import annotations

import socket
from typing import Final

import uvicorn
from fastapi import FastAPI

_LAST_ANSWERS_S: Final = 10
_MOST_AT_ONCE: Final = 500


def server(app: FastAPI) -> uvicorn.Server:
    """A server that logs errors only, says nothing about itself, and lets running requests end when it is stopped.

    A proxy on this machine is believed what it says of a request's origin and scheme; any other is not.
    """
    return uvicorn.Server(
        uvicorn.Config(
            app,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on",
            forwarded_allow_ips="127.0.0.1,::1",
            timeout_graceful_shutdown=_LAST_ANSWERS_S,
            limit_concurrency=_MOST_AT_ONCE,
        )
    )


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens, so that the address that is printed is the true one.

    :raises OSError: it cannot be had.
    """
    # With the protocol named, asyncio turns Nagle's algorithm off on every connection; without, a page waits 40 ms for an ACK.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    made = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        made.bind((host, port))
        # Until it listens another may bind beside it, and one of the two would find out after both had said theirs.
        made.listen(_MOST_AT_ONCE)
    except OSError:
        made.close()
        raise
    return made

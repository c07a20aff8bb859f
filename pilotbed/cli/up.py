"""``pilotbed up``: the whole platform on embedded parts."""

from __future__ import annotations

import sys

from core.settings import settings
from pilotbed.stack.local import LocalStack


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


def up() -> None:
    """The whole platform on embedded parts, empty at first, until Ctrl-C.

    PILOTBED_DATA_DIR says where its data are, PILOTBED_WEB_PORT and PILOTBED_MQTT_PORT where it listens; `pilotbed doctor`
    lists all settings.
    """
    stack = LocalStack(settings(), say=_say)

    def started() -> None:
        _say(f"Database: {stack.engine}.")
        if stack.mosquitto is not None:
            _say(f"Broker:   {stack.mosquitto.url}")
        _say(f"Data:     {stack.directory.path}")
        if stack.first_password is not None:
            print(f"First administrator: admin, password {stack.first_password} (shown this once)", flush=True)
        print(f"Pilotbed runs at {stack.web_url} until Ctrl-C.", flush=True)

    stack.run(started=started)

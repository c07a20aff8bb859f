"""Where devices reach the broker: what credential files and pages tell them. Never with anybody's secret."""

from __future__ import annotations

from urllib.parse import urlsplit

from core.settings import Settings
from pilotbed.stack.data_directory import DataDirectory


def broker_for_devices(chosen: Settings) -> str | None:
    """``mqtt://host:port`` as the settings name it, else of the running stack, else where we reach the broker ourselves.

    A local stack has another listener for its own processes than for devices. None: there is no broker.
    """
    if chosen.mqtt_address is not None:
        return chosen.mqtt_address
    if chosen.mqtt_url is None:
        running = DataDirectory(chosen.data_dir).running()
        return None if running is None else running.mqtt_url
    return without_secret(chosen.mqtt_url.get_secret_value())


def without_secret(url: str) -> str:
    """A broker's URL without its user.

    >>> without_secret("mqtt://user:secret@[::1]:1883")
    'mqtt://[::1]:1883'
    """
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"

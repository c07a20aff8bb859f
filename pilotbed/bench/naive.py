"""What one writes first: paho in its own thread, json, ``executemany``, a commit every hundred messages, acknowledged by default.

    python -m pilotbed.bench.naive MESSAGES CHANNELS-AS-JSON

with PILOTBED_DATABASE_URL and PILOTBED_MQTT_URL. It is here to be compared with, not to be used: what it has acknowledged and
not committed is lost when it dies. It is no straw man: psycopg sends the rows of an ``executemany`` in one go (a pipeline), not
one by one.
"""

from __future__ import annotations

import json
import os
import queue
import sys
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt
import psycopg
from paho.mqtt.enums import CallbackAPIVersion

_EVERY = 100
_INSERT = (
    "INSERT INTO reading (observed_at, received_at, value, channel_id) VALUES (%s, %s, %s, %s) ON CONFLICT DO NOTHING"
)


def main() -> None:
    """Take so many messages, then end."""
    wanted, channels = int(sys.argv[1]), json.loads(sys.argv[2])
    database = psycopg.connect(os.environ["PILOTBED_DATABASE_URL"])
    arrived: queue.Queue[tuple[str, bytes | bytearray]] = queue.Queue()
    client = _client(arrived)
    client.loop_start()
    rows: list[tuple[datetime, datetime, float, int]] = []
    for taken in range(1, wanted + 1):
        topic, payload = arrived.get()
        now = datetime.now(UTC)
        slot = topic.split("/")[2]
        said = json.loads(payload)
        for one in said if isinstance(said, list) else [said]:
            at = datetime.fromtimestamp(one["ts"] / 1000, UTC)
            rows.extend((at, now, value, channels[f"{slot}/{name}"]) for name, value in one["values"].items())
        if taken % _EVERY == 0 or taken == wanted:
            database.cursor().executemany(_INSERT, rows)
            database.commit()
            rows.clear()
    client.disconnect()
    client.loop_stop()
    database.close()


def _client(arrived: queue.Queue[tuple[str, bytes | bytearray]]) -> mqtt.Client:
    url = urlsplit(os.environ["PILOTBED_MQTT_URL"])

    def on_message(_client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        arrived.put((message.topic, message.payload))

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="naive", protocol=mqtt.MQTTv311)
    client.username_pw_set(url.username, url.password)
    client.on_message = on_message
    client.on_connect = lambda c, *_: c.subscribe("pilots/+/+/readings", qos=1)
    client.on_subscribe = lambda *_: print("ready", flush=True)
    client.connect(url.hostname or "", url.port or 1883)
    return client


if __name__ == "__main__":
    main()

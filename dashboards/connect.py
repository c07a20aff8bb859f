"""The code to paste for a device's first reading: made from the plan, so that it is accepted as it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboards.access import VisiblePilot
from dashboards.slots import SlotRow
from devices.example import c_text, plausible, shell_text, topic_of
from devices.plan.model import Plan

_NO_BROKER: Final = "BROKER:1883"
_NATIVE: Final = "json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One slot's message in three ways."""

    slot: SlotRow
    topic: str
    payload: str
    mosquitto: str
    python: str
    arduino: str


def examples(pilot: VisiblePilot, plan: Plan, slots: Sequence[SlotRow], broker: str | None) -> list[Example]:
    """For each slot that speaks the native form. The password is where only its holder has it: never here."""
    return [
        _example(pilot, plan, slot, broker or _NO_BROKER)
        for slot in slots
        if slot.protocol == _NATIVE and slot.name in plan.slots and plan.slots[slot.name].channels
    ]


def _example(pilot: VisiblePilot, plan: Plan, slot: SlotRow, broker: str) -> Example:
    host, _, port = broker.rpartition(":")
    topic = topic_of(pilot.name, slot.name, slot.topics)
    values = _values(plan, slot)
    payload = json.dumps({"ts": "NOW", "values": values}, ensure_ascii=False)
    shown = payload.replace('"NOW"', '"2026-03-01T09:00:00+09:00"')
    return Example(
        slot=slot,
        topic=topic,
        payload=shown,
        mosquitto=(
            f"mosquitto_pub -V 5 -q 1 -h {host} -p {port} \\\n  -i '{slot.username}' -u '{slot.username}' -P \"$PASSWORD\" \\\n"
            f"  -t '{topic}' \\\n  -m \"{_shell(payload)}\""
        ),
        python=(
            "import json, time\nimport paho.mqtt.client as mqtt\n\n"
            f'client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id="{slot.username}",\n'
            "                     protocol=mqtt.MQTTv5)\n"
            f'client.username_pw_set("{slot.username}", PASSWORD)\nclient.connect("{host}", {port})\nclient.loop_start()\n'
            f'message = {{"ts": time.time(), "values": {json.dumps(values, ensure_ascii=False)}}}\n'
            f'client.publish("{topic}", json.dumps(message), qos=1).wait_for_publish()'
        ),
        arduino=(
            "#include <MQTT.h>   // 256dpi/arduino-mqtt\n"
            f'client.begin("{host}", {port}, net);\n'
            f'client.connect("{slot.username}", "{slot.username}", PASSWORD);\n'
            f'client.publish("{topic}",\n  "{c_text(json.dumps({"values": values}, ensure_ascii=False))}", false, 1);'
        ),
    )


def _values(plan: Plan, slot: SlotRow) -> dict[str, Any]:
    """A plausible value a channel, where the plan says that it stands in the message."""
    values: dict[str, Any] = {}
    for key, channel in plan.slots[slot.name].channels.items():
        place = values
        *folders, last = (channel.source or key).split(".")
        for folder in folders:
            place = place.setdefault(folder, {})
            if not isinstance(place, dict):
                break
        else:
            place[last] = plausible(channel)
    return values


def _shell(payload: str) -> str:
    """Inside double quotes, with the time of sending."""
    return shell_text(payload).replace('\\"NOW\\"', "$(date +%s)")

"""The code to paste for a device's first reading: made from the plan, so that it is accepted as it stands."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from shlex import quote
from typing import Any, Final
from urllib.parse import urlsplit

from core.units import conversion
from devices.plan.model import Channel, Plan

KINDS: Final = ("mosquitto", "python", "arduino")

_MADE_UP: Final = "Put measured values in: what is stored stays."

_TIME: Final = "@time@"
"""Where the time stands in the message, until each language has put its own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """How a device reaches the broker, and as whom."""

    broker: str
    """``mqtt://host:port``, or ``mqtts`` for TLS."""
    username: str
    password: str
    ca: str | None = None
    """File of the CA that the broker's certificate is by; None: one that the system knows."""
    certified: bool = False
    """Whether a device must show a certificate of its own."""

    @property
    def host(self) -> str:
        return urlsplit(self.broker).hostname or "BROKER"

    @property
    def port(self) -> int:
        return urlsplit(self.broker).port or (8883 if self.tls else 1883)

    @property
    def tls(self) -> bool:
        return urlsplit(self.broker).scheme == "mqtts"


def example_slot(plan: Plan, connection: str) -> str | None:
    """The slot that an example of a connection is about: its first with channels. None: it speaks another form than JSON."""
    slots = [slot for slot in plan.slots_of(connection) if plan.slots[slot].channels]
    return slots[0] if slots and plan.connection_of(slots[0])[1].protocol == "json" else None


def examples(plan: Plan, slot: str, way: Way) -> dict[str, str]:
    """One reading of a slot's channels, by :data:`KINDS`."""
    topic, message = _topic(plan, slot), _message(plan, slot)
    form = plan.connection_of(slot)[1].time.format
    return {
        "mosquitto": _mosquitto(topic, message, form, way),
        "python": _python(topic, message, form, way),
        "arduino": _arduino(topic, message, form, way, _pause_s(plan, slot)),
    }


def topic_of(pilot: str, slot: str, own: Sequence[str]) -> str:
    """Where a slot's readings go: the first filter of its own that is a topic, else the native one."""
    return next((topic for topic in own if "+" not in topic and "#" not in topic), f"pilots/{pilot}/{slot}/readings")


def _topic(plan: Plan, slot: str) -> str:
    return topic_of(plan.pilot, slot, plan.slots[slot].topics)


def _pause_s(plan: Plan, slot: str) -> int:
    periods = [channel.period_s for channel in plan.slots[slot].channels.values() if channel.period_s is not None]
    return max(1, round(min(periods, default=60.0)))


def _message(plan: Plan, slot: str) -> str:
    """A plausible value a channel, where the plan says that it stands. JSON, but for its time."""
    connection = plan.connection_of(slot)[1]
    document: dict[str, Any] = {}
    if connection.clock and connection.time.path:
        _put(document, connection.time.path, _TIME)
    for path, wanted in plan.slots[slot].select.items():
        _put(document, path, str(wanted))
    holder = connection.values or "values"
    for key, channel in plan.slots[slot].channels.items():
        _put(document, f"{holder}.{channel.source or key}", plausible(channel))
    return json.dumps(document, ensure_ascii=False)


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *way, last = path.split(".")
    for step in way:
        document = document.setdefault(step, {})
        if not isinstance(document, dict):
            return  # another channel's value stands there: one message cannot show both
    document.setdefault(last, value)


def plausible(channel: Channel) -> Any:
    """A value that a channel may take, in the unit in which its message has it."""
    if channel.states is not None:
        return channel.states[0]
    low, high = channel.range or (0.0, 100.0)
    unit = channel.canonical_unit
    return round(conversion(unit, channel.source_unit or unit)(low + (high - low) / 4), 3)


_ZEROS: Final = {"ms": "000", "us": "000000", "ns": "000000000"}


def _mosquitto(topic: str, message: str, form: str, way: Way) -> str:
    escaped = shell_text(message)
    marked = f'\\"{_TIME}\\"'
    now = '\\"$(date -u +%Y-%m-%dT%H:%M:%SZ)\\"' if form == "iso" else f"$(date +%s){_ZEROS.get(form, '')}"
    tls = ""
    if way.tls:
        tls = f"  --cafile {quote(way.ca)}" if way.ca else "  --tls-use-os-certs"
        tls += " --cert device.pem --key device.key \\\n" if way.certified else " \\\n"
    return (
        f"# mosquitto_pub. {_MADE_UP}\n"
        f"mosquitto_pub -V 5 -q 1 -h {quote(way.host)} -p {way.port} \\\n{tls}"
        f"  -i {quote(way.username)} -u {quote(way.username)} -P {quote(way.password)} \\\n"
        f"  -t {quote(topic)} \\\n"
        f'  -m "{escaped.replace(marked, now)}"\n'
    )


def _python(topic: str, message: str, form: str, way: Way) -> str:
    number = {"ms": "int(time.time() * 1000)", "us": "time.time_ns() // 1000", "ns": "time.time_ns()"}
    now = "datetime.now(timezone.utc).isoformat()" if form == "iso" else number.get(form, "time.time()")
    tls = ""
    if way.tls:
        given = ([f'ca_certs="{way.ca}"'] if way.ca else []) + (
            ['certfile="device.pem", keyfile="device.key"'] if way.certified else []
        )
        tls = f"client.tls_set({', '.join(given)})\n"
    return (
        f'# Python: pip install "paho-mqtt>=2". {_MADE_UP}\n'
        "import json\n"
        f"{'from datetime import datetime, timezone' if form == 'iso' else 'import time'}\n\n"
        "import paho.mqtt.client as mqtt\n\n"
        "client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2,\n"
        f'                     client_id="{way.username}", protocol=mqtt.MQTTv5)\n'
        f'client.username_pw_set("{way.username}", "{way.password}")\n'
        f"{tls}"
        'client.on_connect = lambda client, data, flags, reason, properties: print("connected:", reason)\n'
        'client.on_publish = lambda client, data, number, reason, properties: print("published:", reason)\n'
        f'client.connect("{way.host}", {way.port})\n'
        "client.loop_start()\n"
        f"message = {message.replace(json.dumps(_TIME), now)}\n"
        f"client.publish({json.dumps(topic, ensure_ascii=False)}, json.dumps(message), qos=1).wait_for_publish(10)\n"
        "client.disconnect()\n"
        "client.loop_stop()\n"
    )


def _arduino(topic: str, message: str, form: str, way: Way, pause_s: int) -> str:
    timed = json.dumps(_TIME) in message
    now = '\\"") + stamp + String("\\"' if form == "iso" else '") + stamp + String("'
    text = c_text(message).replace(c_text(json.dumps(_TIME)), now)
    secure, clock, stamp = "", "", ""
    if way.tls:
        secure = "  network.setCACert(CA);\n"
        if way.certified:
            secure += "  network.setCertificate(CERTIFICATE);\n  network.setPrivateKey(KEY);\n"
    if timed:
        clock = (
            '  configTime(0, 0, "pool.ntp.org");\n'
            "  while (time(nullptr) < 1700000000) delay(500);  // until the clock is set\n"
        )
        stamp = _c_stamp(form)
    names = ["CA", *(["CERTIFICATE", "KEY"] if way.certified else [])] if way.tls else []
    pem = "".join(f'const char {name}[] = R"(-----BEGIN …)";  // PEM\n' for name in names)
    return (
        f"// Arduino: a board with WiFi (ESP32), library ArduinoMqttClient. {_MADE_UP}\n"
        f"#include <WiFi.h>\n{'#include <WiFiClientSecure.h>' + chr(10) if way.tls else ''}"
        "#include <ArduinoMqttClient.h>\n\n"
        f"{pem}WiFiClient{'Secure' if way.tls else ''} network;\nMqttClient mqtt(network);\n\n"
        "void setup() {\n"
        "  Serial.begin(115200);\n"
        '  WiFi.begin("YOUR_WIFI", "YOUR_WIFI_PASSWORD");\n'
        "  while (WiFi.status() != WL_CONNECTED) delay(500);\n"
        f"{clock}{secure}"
        f'  mqtt.setId("{way.username}");\n'
        f'  mqtt.setUsernamePassword("{way.username}", "{way.password}");\n'
        "}\n\n"
        "void loop() {\n"
        f'  if (!mqtt.connected() && !mqtt.connect("{way.host}", {way.port})) {{\n'
        "    Serial.println(mqtt.connectError());\n"
        "    delay(5000);\n"
        "    return;\n"
        "  }\n"
        f"{stamp}"
        f'  String message = String("{text}");\n'
        f'  mqtt.beginMessage("{c_text(topic)}", (unsigned long)message.length(), false, 1);  // QoS 1\n'
        "  mqtt.print(message);\n"
        '  if (!mqtt.endMessage()) Serial.println("not acknowledged");\n'
        f"  delay({pause_s * 1000});\n"
        "}\n"
    )


def _c_stamp(form: str) -> str:
    if form != "iso":
        zeros = f' + "{_ZEROS[form]}"' if form in _ZEROS else ""
        return f"  String stamp = String((long)time(nullptr)){zeros};\n"
    return (
        "  time_t now = time(nullptr);\n"
        "  char stamp_text[24];\n"
        '  strftime(stamp_text, sizeof stamp_text, "%Y-%m-%dT%H:%M:%SZ", gmtime(&now));\n'
        "  String stamp = stamp_text;\n"
    )


def shell_text(text: str) -> str:
    """A text as it stands between double quotes in a shell."""
    return "".join(f"\\{letter}" if letter in '\\"`$' else letter for letter in text)


def c_text(text: str) -> str:
    """A text as it stands between quotes in C."""
    return text.replace("\\", "\\\\").replace('"', '\\"')

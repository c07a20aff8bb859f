"""Send readings so that none is lost, whatever is killed: number each message, and keep it until its receipt.

python receipts.py CREDENTIALS.json SLOT CHANNEL [SECONDS_BETWEEN [COUNT]]        (needs: pip install paho-mqtt)
"""

import json
import math
import queue
import sys
import time
import uuid
from pathlib import Path
from urllib.parse import urlsplit

import paho.mqtt.client as mqtt

file, slot, channel, pause_s, count = sys.argv[1:] + ["1", "0"][len(sys.argv) - 4 :]
given = json.loads(Path(file).read_text())  # what `pilotbed plan apply --credentials` wrote
mine = next(one for one in given["connections"] if slot in one["slots"])
topic, broker = f"pilots/{given['pilot']}/{slot}", urlsplit(given["broker"])
boot = uuid.uuid4().hex  # another one each start, because the numbers begin again at 1
kept = {}  # seq → [payload, sent at, wait for so long]. A device that may lose power keeps it on flash, with its boot.
told, receipts = range(0), queue.SimpleQueue()


def connected(client, _data, _flags, reason, _properties):  # after a break too
    print(f"connected: {reason}", file=sys.stderr)
    client.subscribe(f"{topic}/receipt", qos=1)


def send(seq, wait_s):
    kept[seq][1:] = time.monotonic(), wait_s
    client.publish(f"{topic}/readings", kept[seq][0], qos=1)


def take(receipt):  # let go of what is committed: all from first to through but what is missing
    global told
    if receipt["boot"] == boot:
        told = range(receipt["first"], receipt["through"] + 1)  # of other numbers it says nothing
        for seq in [seq for seq in kept if seq in told]:
            if not any(low <= seq <= high for low, high in receipt["missing"]):
                del kept[seq]


def send_again():  # what is missing; and the newest, because a receipt for it shows what else is missing
    newest = max(kept, default=0)
    for seq, (_, sent_at, wait_s) in kept.items():
        if (seq in told or seq == newest) and client.is_connected() and time.monotonic() - sent_at > wait_s:
            send(seq, min(2 * wait_s, 300))  # ever more rarely, because the platform may be away; always the same bytes


client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=mine["username"])
client.username_pw_set(mine["username"], mine["password"])
client.on_connect, client.on_message = connected, lambda *heard: receipts.put(json.loads(heard[2].payload))
if broker.scheme == "mqtts":
    client.tls_set()
client.connect(broker.hostname, broker.port or (8883 if broker.scheme == "mqtts" else 1883))
client.loop_start()
seq, last = 0, int(count) or 2**63
while seq < last or kept:
    if seq < last and len(kept) < 10_000:  # so many may be kept: then this one measures nothing new
        seq += 1
        value = 20 + math.sin(time.time() / 600)  # your sensor's
        reading = {"seq": seq, "boot": boot, "ts": time.time_ns() // 10**6, "values": {channel: value}}
        kept[seq] = [json.dumps(reading), 0, 0]
        send(seq, 5)
    time.sleep(float(pause_s))
    while not receipts.empty():
        take(receipts.get())
    send_again()
client.disconnect()
print(f"{seq} sent, and all of them receipted")

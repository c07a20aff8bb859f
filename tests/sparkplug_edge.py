"""An edge node by pysparkplug, which knows nothing of us: run by an interpreter of an environment that has it.

``python tests/sparkplug_edge.py PORT USERNAME PASSWORD GROUP NODE DEVICE``; told what to do line by line on its input, it says
``done`` after each, and ``asked`` when it is told to give its births again.
"""

# mypy: ignore-errors

from __future__ import annotations

import os
import sys
import time

try:
    from pysparkplug import (
        Client,
        DataType,
        DBirth,
        DData,
        Device,
        EdgeNode,
        Message,
        MessageType,
        Metric,
        NBirth,
        QoS,
        Topic,
    )
except ImportError:  # in the tests' own environment, which only looks for examples in here
    if __name__ == "__main__":
        raise


def now() -> int:
    return int(time.time() * 1000)


def born(device: bool) -> list[Metric]:
    if not device:
        return [Metric(now(), "Node Control/Rebirth", DataType.BOOLEAN, value=False)]
    return [
        Metric(now(), "Temp", DataType.FLOAT, value=20.5, alias=0),
        Metric(now(), "Count", DataType.INT16, value=-7, alias=1),
        Metric(now(), "Running", DataType.BOOLEAN, value=True, alias=2),
    ]


def main() -> None:
    port, username, password, group, node_id, device_id = sys.argv[1:]
    client = Client(client_id=username, username=username, password=password)

    def say(text: str) -> None:
        print(text, flush=True)

    def publish(kind, payload, *, device: bool, types: bool) -> None:
        topic = Topic(group, kind, node_id, device_id if device else None)
        client.publish(Message(topic, payload, QoS.AT_LEAST_ONCE, False), include_dtypes=types)

    def commanded(node: EdgeNode, _message: Message) -> None:
        say("asked")
        metrics = (*born(False), Metric(now(), "bdSeq", DataType.INT64, value=0))
        publish(MessageType.NBIRTH, NBirth(now(), node._seq, metrics), device=False, types=True)
        publish(MessageType.DBIRTH, DBirth(now(), node._seq, tuple(born(True))), device=True, types=True)

    node = EdgeNode(group, node_id, born(False), client, commanded)
    node.register(Device(device_id, born(True)))
    node.connect("127.0.0.1", port=int(port), keepalive=5)
    for line in sys.stdin:
        what, *values = line.split()
        if what == "alias":
            metrics = (
                Metric(now(), None, DataType.FLOAT, value=float(values[0]), alias=0),
                Metric(now(), None, DataType.INT16, value=int(values[1]), alias=1),
            )
            publish(MessageType.DDATA, DData(now(), node._seq, metrics), device=True, types=False)
        elif what == "name":
            node.update_device(device_id, [Metric(now(), "Count", DataType.INT16, value=int(values[0]))])
        elif what == "lose":
            node._seq  # noqa: B018 (a message that never arrives)
        elif what == "die":
            os._exit(1)
        elif what == "stop":
            node.disconnect()
        say("done")


if __name__ == "__main__":
    main()

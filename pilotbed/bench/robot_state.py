"""States of a robot on its way, as VDA 5050 has them: what ``pilotbed bench decode`` reads."""

from __future__ import annotations

import json
import time
from typing import Any


def state(place: int, at_ms: int) -> bytes:
    """One of them, of some 1.1 kB.

    :param place: counts them from 0.
    """
    at = f"{time.strftime('%Y-%m-%dT%H:%M:%S', time.gmtime(at_ms // 1000))}.{at_ms % 1000:03}Z"
    body: dict[str, Any] = {
        "headerId": place, "timestamp": at, "version": "2.1.0", "manufacturer": "RobotCo", "serialNumber": "0001",
        "orderId": "order-4711", "orderUpdateId": 2, "lastNodeId": "node-7", "lastNodeSequenceId": 14,
        "driving": True, "paused": False, "newBaseRequest": False, "distanceSinceLastNode": round(place / 100, 2),
        "operatingMode": "AUTOMATIC",
        "nodeStates": [{"nodeId": f"node-{n}", "sequenceId": 2 * n, "released": True} for n in (8, 9)],
        "edgeStates": [{"edgeId": f"edge-{n}", "sequenceId": 2 * n + 1, "released": True} for n in (7, 8)],
        "agvPosition": {
            "x": round(10 + place / 100, 3), "y": -4.567, "theta": 1.5708, "mapId": "floor-1", "positionInitialized": True,
        },
        "velocity": {"vx": 1.05, "vy": 0.0, "omega": 0.02},
        "loads": [{"loadId": "L-1", "loadType": "EPAL", "weight": 250.0}],
        "actionStates": [
            {"actionId": "a-1", "actionType": "pick", "actionStatus": "FINISHED"},
            {"actionId": "a-2", "actionType": "drop", "actionStatus": "WAITING"},
        ],
        "batteryState": {
            "batteryCharge": round(80 - place / 1000, 3), "batteryVoltage": 48.2, "charging": False, "reach": 12_000,
        },
        "errors": [], "information": [], "safetyState": {"eStop": "NONE", "fieldViolation": False},
    }  # fmt: skip
    return json.dumps(body).encode()

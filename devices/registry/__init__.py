"""The registry: which pilots there are, who may speak for them, what they are expected to say."""

from __future__ import annotations

from devices.registry.apply import Applied, apply_plan
from devices.registry.bindings import (
    BoundChannel,
    BoundConnection,
    BoundSlot,
    bindings,
    desired_access,
    desired_clients,
    stamp,
)
from devices.registry.care import Replaced, issue_credential, replace_device, withdraw_connection
from devices.registry.queries import DeviceRow, Pilot, devices, pilot, pilots, plan_of, plan_source, plan_versions

__all__ = [
    "Applied",
    "BoundChannel",
    "BoundConnection",
    "BoundSlot",
    "DeviceRow",
    "Pilot",
    "Replaced",
    "apply_plan",
    "bindings",
    "desired_access",
    "desired_clients",
    "devices",
    "issue_credential",
    "pilot",
    "pilots",
    "plan_of",
    "plan_source",
    "plan_versions",
    "replace_device",
    "stamp",
    "withdraw_connection",
]

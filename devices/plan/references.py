"""What a channel is compared with, as the plan has it: whose it is, what vouches for it, since when."""

from __future__ import annotations

from typing import Any

from devices.plan.agreement_measures import Agreement
from devices.plan.model import Certificate, Channel, Plan


def reference_channel(plan: Plan, of: Agreement) -> Channel | None:
    """The reference's channel; its uncertainty is vouched for by the slot's certificate where it names none of its own.

    None where the plan at hand leaves the slot out.
    """
    slot = plan.slots.get(of.reference.slot)
    channel = None if slot is None else slot.channels.get(of.reference.channel)
    if slot is None or channel is None or channel.uncertainty is None or slot.certificate is None:
        return channel
    if channel.uncertainty.certificate is not None:
        return channel
    vouched = channel.uncertainty.model_copy(update={"certificate": slot.certificate.number})
    return channel.model_copy(update={"uncertainty": vouched})


def reference_told(plan: Plan, of: Agreement) -> dict[str, Any]:
    """What a result says of a reference: slot, channel, owner, certificate."""
    name = of.reference.slot
    certificate = plan.slots[name].certificate if name in plan.slots else None
    return {
        "slot": name,
        "channel": of.reference.channel,
        "owner": plan.owner_of(name) if name in plan.slots else None,
        "certificate": None if certificate is None else _certificate(certificate),
    }


def _certificate(certificate: Certificate) -> dict[str, Any]:
    return {
        "number": certificate.number,
        "date": certificate.date,
        "valid_until": certificate.valid_until,
        "by": certificate.by,
    }

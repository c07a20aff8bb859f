"""An account as the JSON that scripts read: ``pilotbed intake --json`` and the HTTP interface give the same."""

from __future__ import annotations

from typing import Any

from core.canonical import plain
from telemetry.account import Account, ConnectionDay, Delay, Gap, Numbers, SlotDay, Timing


def document(account: Account) -> dict[str, Any]:
    """Counts are whole numbers, lengths of time seconds, instants ISO 8601 in UTC; null where nobody can know."""
    found: dict[str, Any] = plain(
        {
            "pilot": account.pilot,
            "day": account.day,
            "zone": account.zone,
            "window": {"start": account.window.start, "end": account.window.end},
            "at": account.at,
            "over": account.over,
            "simulated": account.simulated,
            "totals": _totals(account),
            "connections": [_connection(one) for one in account.connections],
            "slots": [_slot(one) for one in account.slots],
            "balanced": account.balanced,
            "identities": [
                {
                    "rule": one.rule,
                    "holds": one.holds,
                    "broken": list(one.broken),
                    **({"past_retention": True} if one.past_retention else {}),
                }
                for one in account.identities
            ],
        }
    )
    return found


def _totals(account: Account) -> dict[str, Any]:
    total = account.totals
    return {
        "expected": total.expected,
        "delivered": total.delivered,
        "committed": total.committed,
        "quarantined": total.quarantined,
        "quarantined_by_reason": dict(total.quarantined_by_reason),
        "quarantined_of_nobody": dict(account.nobody),
        "redelivered": total.redelivered,
        "payload_bytes": total.payload_bytes,
        "sent": total.sent,
        "distinct": total.distinct,
        "missing": total.missing,
        "repeated": total.repeated,
        "denied": dict(total.denied),
        "denied_unattributed": dict(account.denied_unattributed),
        "decoded": total.decoded,
        "stored": total.stored,
        "duplicate": total.duplicate,
        "conflict": total.conflict,
        "rejected": dict(total.rejected_by_reason),
        **_timing(total.timing),
    }


def _connection(one: ConnectionDay) -> dict[str, Any]:
    return {
        "connection": one.connection,
        "withdrawn": one.withdrawn,
        "delivered": one.delivered,
        "committed": one.committed,
        "quarantined": one.quarantined,
        "quarantined_by_reason": dict(one.quarantined_by_reason),
        "redelivered": one.redelivered,
        "payload_bytes": one.payload_bytes,
        "sent": one.sent,
        "distinct": sum(numbers.distinct for numbers in one.numbers) if one.numbers else None,
        "missing": one.missing,
        "repeated": sum(numbers.repeated for numbers in one.numbers) if one.numbers else None,
        "numbers": [_numbers(numbers) for numbers in one.numbers],
        "denied": dict(one.denied),
        "last_received": one.last_received,
    }


def _numbers(one: Numbers) -> dict[str, Any]:
    return {
        "boot": one.boot,
        "first": one.first,
        "last": one.last,
        "sent": one.sent,
        "distinct": one.distinct,
        "missing": one.missing,
        "given_up": one.given_up,
        "missing_ranges": [list(pair) for pair in one.missing_ranges],
        "repeated": one.repeated,
        "last_received": one.last_received,
    }


def _slot(one: SlotDay) -> dict[str, Any]:
    return {
        "slot": one.slot,
        "connection": one.connection,
        "expected": one.expected,
        "decoded": one.decoded,
        "stored": one.stored,
        "duplicate": one.duplicate,
        "conflict": one.conflict,
        "rejected": dict(one.rejected_by_reason),
        **_timing(one.timing),
        "last_received": one.last_received,
    }


def _timing(timing: Timing | None) -> dict[str, Any]:
    if timing is None:
        return {}
    return {
        "completeness": timing.completeness,
        "delay": _delay(timing.delay),
        "longest_gap_s": None if timing.gap is None else timing.gap.seconds,
        "longest_gap": _gap(timing.gap),
        "found_in_store": timing.found,
    }


def _delay(delay: Delay | None) -> dict[str, Any]:
    if delay is None:
        return {"n": 0, "p50_s": None, "p95_s": None, "p99_s": None}
    return {"n": delay.n, "p50_s": delay.p50_s, "p95_s": delay.p95_s, "p99_s": delay.p99_s}


def _gap(gap: Gap | None) -> dict[str, Any] | None:
    if gap is None:
        return None
    return {"channel": gap.channel, "start": gap.window.start, "end": gap.window.end}

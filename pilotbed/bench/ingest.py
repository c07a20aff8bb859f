"""The intake beside its limits: in one run, from the same publishers, into the same table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final

from pilotbed.bench.arena import SLOTS, Arena, arena
from pilotbed.bench.contestants import PUBLISHERS, WINDOW, Outcome, collector, copy, mosquitto_sub, naive, sample
from pilotbed.bench.machine import machine
from pilotbed.bench.publisher import CHANNELS

MESSAGES: Final = {1: 160_000, 10: 100_000, 100: 32_000}
"""So many messages by default: each run takes some seconds, so that beginning and end do not count."""
NAIVE_SHARE: Final = 4
"""The naive loop gets a quarter of the messages, and only at one reading a message: it takes long enough."""

METHOD: Final = (
    f"{PUBLISHERS} publisher processes with {SLOTS} connections send packets made beforehand at QoS 1, {WINDOW} at most"
    " unacknowledged a connection, as fast as the broker acknowledges. A contestant's rate is the number of messages by"
    " the time from the first publish until it has taken the last one; the collector's until the last reading is"
    " committed, with the database's fsync on. Each run has a fresh broker, configured as in production, and a fresh"
    " database. COPY is one binary COPY of the same rows into the same table with its key, nothing else running. With"
    " repetitions the median counts."
)

Say = Callable[[str], None]


def bench_ingest(*, levels: Sequence[int], messages: int | None, repeat: int, say: Say) -> dict[str, Any]:
    """Run all contestants.

    :param levels: readings a message.
    :param messages: how many; None: by level.
    :returns: the report, ready for JSON.
    """
    with arena() as where:
        results: dict[str, Any] = {}
        report: dict[str, Any] = {
            "machine": machine(where.engine), "method": METHOD, "repeat": repeat,
            "slots": SLOTS, "channels": CHANNELS, "results": results,
        }  # fmt: skip
        for readings in levels:
            n = (messages or MESSAGES.get(readings, max(MESSAGES[100] * 100 // readings, SLOTS))) // SLOTS * SLOTS
            runs = _runs(where, readings, n, repeat, say)
            outcomes = [_best(of_one) for of_one in runs]
            results[str(readings)] = {_key(of_one[0].name): _plain(_best(of_one), of_one) for of_one in runs} | {
                "messages": n, "message": sample(readings).decode()[:120],
            }  # fmt: skip
            report |= _ratios(readings, {outcome.name: outcome for outcome in outcomes})
    return report


def _runs(where: Arena, readings: int, n: int, repeat: int, say: Say) -> list[list[Outcome]]:
    """Each contestant's runs, taken in turns so that a change of the machine meets all of them."""
    contestants: list[tuple[str, Callable[[], Outcome]]] = [
        ("mosquitto_sub", lambda: mosquitto_sub(where, readings=readings, messages=n)),
        ("COPY", lambda: copy(where, readings=readings, messages=n)),
        ("collector", lambda: collector(where, readings=readings, messages=n, keep=True)),
        ("collector without raw messages", lambda: collector(where, readings=readings, messages=n, keep=False)),
    ]
    if readings == 1:
        few = n // NAIVE_SHARE // SLOTS * SLOTS
        contestants.append(("naive loop", lambda: naive(where, readings=readings, messages=few)))
    found: dict[str, list[Outcome]] = {name: [] for name, _ in contestants}
    for turn in range(repeat):
        for name, run in contestants:
            outcome = run()
            found[name].append(outcome)
            nth = f" ({turn + 1} of {repeat})" if repeat > 1 else ""
            cpu = ", ".join(f"{group} {us:.0f}" for group, us in outcome.cpu_us.items())
            say(
                f"{readings} readings a message: {name}{nth}: {outcome.messages_per_s:,.0f} messages/s,"
                f" {outcome.readings_per_s:,.0f} readings/s in {outcome.took_s:.1f} s (CPU µs a message: {cpu})"
            )
    return list(found.values())


def _best(outcomes: list[Outcome]) -> Outcome:
    """The run of the median time."""
    middle = median(sorted(outcome.took_s for outcome in outcomes))
    return min(outcomes, key=lambda outcome: abs(outcome.took_s - middle))


def _key(name: str) -> str:
    return name.lower().replace(" ", "_")


def _plain(outcome: Outcome, runs: list[Outcome]) -> dict[str, Any]:
    return {
        "runs_messages_per_s": [round(run.messages_per_s) for run in runs],
        "messages": outcome.messages,
        "took_s": round(outcome.took_s, 3),
        "messages_per_s": round(outcome.messages_per_s),
        "readings_per_s": round(outcome.readings_per_s),
        "published_s": None if outcome.published_s is None else round(outcome.published_s, 3),
        "cpu_us_per_message": {group: round(us, 1) for group, us in outcome.cpu_us.items()},
    }


def _ratios(readings: int, by_name: dict[str, Outcome]) -> dict[str, float]:
    ours, bare = by_name["collector"], by_name["collector without raw messages"]
    ratios = {
        f"ratio_to_mosquitto_sub_{readings}": ours.messages_per_s / by_name["mosquitto_sub"].messages_per_s,
        f"ratio_to_copy_{readings}": ours.readings_per_s / by_name["COPY"].readings_per_s,
        f"ratio_to_mosquitto_sub_{readings}_without_raw": bare.messages_per_s / by_name["mosquitto_sub"].messages_per_s,
        f"ratio_to_copy_{readings}_without_raw": bare.readings_per_s / by_name["COPY"].readings_per_s,
    }
    if "naive loop" in by_name:
        ratios[f"ratio_to_naive_{readings}"] = ours.messages_per_s / by_name["naive loop"].messages_per_s
    return {name: round(value, 3) for name, value in ratios.items()}


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    told = report["machine"]
    lines = [
        f"{told['cpu']}, {told['cores']} cores, {told['memory_gb']} GB, {told['system']}, Python {told['python']},"
        f" {told['database']}, {told['broker']}",
        "",
        f"{'readings a message':>18}  {'contestant':32} {'messages/s':>12} {'readings/s':>12} {'of sub':>7} {'of COPY':>8}",
    ]
    for readings, results in report["results"].items():
        sub = results["mosquitto_sub"]["messages_per_s"]
        bare = results["copy"]["readings_per_s"]
        for name, found in results.items():
            if isinstance(found, dict):
                of_sub = "" if name == "copy" else f"{found['messages_per_s'] / sub:.2f}"
                of_copy = "" if name == "mosquitto_sub" else f"{found['readings_per_s'] / bare:.2f}"
                lines.append(
                    f"{readings:>18}  {name.replace('_', ' ') if name != 'mosquitto_sub' else name:32}"
                    f" {found['messages_per_s']:>12,} {found['readings_per_s']:>12,} {of_sub:>7} {of_copy:>8}"
                )
    return "\n".join(lines)

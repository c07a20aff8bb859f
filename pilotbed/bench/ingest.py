"""The intake beside its limits: in one run, from the same publishers, into the same table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from statistics import median
from typing import Any, Final

from pilotbed.bench.arena import SLOTS, Arena, arena
from pilotbed.bench.contestants import Outcome, collector, copy, mosquitto_sub, naive, sample
from pilotbed.bench.latency import PROBES, latency
from pilotbed.bench.machine import machine
from pilotbed.bench.publisher import CHANNELS
from pilotbed.bench.publishing import PUBLISHERS, WINDOW

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
    " repetitions the median counts. Latency: from just before a probe's publish until a query sees its reading, while the"
    " publishers send half as many messages a second as the collector took, one reading each."
)

Say = Callable[[str], None]


def bench_ingest(
    *,
    levels: Sequence[int],
    messages: int | None,
    repeat: int,
    say: Say,
    collectors: Sequence[int] = (1, 2),
    probes: int = PROBES,
) -> dict[str, Any]:
    """Run all contestants.

    :param levels: readings a message.
    :param messages: how many; None: by level.
    :param collectors: in how many collectors each; those of the ratios, one, always take part.
    :param probes: for the latency, which is measured where one reading a message is; 0: not.
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
            runs = _runs(_contestants(where, readings, n, collectors), readings, repeat, say)
            best = {of_one[0].name: _best(of_one) for of_one in runs}
            results[str(readings)] = {_key(of_one[0].name): _plain(best[of_one[0].name], of_one) for of_one in runs} | {
                "messages": n, "message": sample(readings).decode()[:120],
            }  # fmt: skip
            report |= _ratios(readings, best)
            if readings == 1 and probes:
                report |= _latency(where, best["collector"].messages_per_s / 2, probes, say)
    return report


def _contestants(
    where: Arena, readings: int, n: int, collectors: Sequence[int]
) -> list[tuple[str, Callable[[], Outcome]]]:
    ours = partial(collector, where, readings=readings, messages=n)
    contestants: list[tuple[str, Callable[[], Outcome]]] = [
        ("mosquitto_sub", partial(mosquitto_sub, where, readings=readings, messages=n)),
        ("COPY", partial(copy, where, readings=readings, messages=n)),
        ("collector", ours),
        ("collector without raw messages", partial(ours, keep=False)),
        *((f"{count} collectors", partial(ours, count=count)) for count in collectors if count > 1),
    ]
    if readings == 1:
        few = n // NAIVE_SHARE // SLOTS * SLOTS
        contestants.append(("naive loop", partial(naive, where, readings=readings, messages=few)))
    return contestants


def _runs(
    contestants: Sequence[tuple[str, Callable[[], Outcome]]], readings: int, repeat: int, say: Say
) -> list[list[Outcome]]:
    """Each contestant's runs, taken in turns so that a change of the machine meets all of them."""
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


def _latency(where: Arena, rate: float, probes: int, say: Say) -> dict[str, Any]:
    found = latency(where, rate=rate, probes=probes)
    report = {f"latency_p{percent}_ms": found.ms(percent) for percent in (50, 95, 99)}
    say(
        f"publish → visible, {probes} probes at {found.messages_per_s:,.0f} messages/s: "
        + ", ".join(f"p{percent} {found.ms(percent):.0f} ms" for percent in (50, 95, 99))
    )
    return report | {
        "latency_max_ms": found.ms(100), "latency_probes": probes,
        "latency_load_messages_per_s": round(found.messages_per_s),
    }  # fmt: skip


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
    for name, outcome in by_name.items():
        if name.endswith(" collectors"):
            key = name.replace(" ", "_")
            ratios[f"ratio_to_mosquitto_sub_{readings}_{key}"] = (
                outcome.messages_per_s / by_name["mosquitto_sub"].messages_per_s
            )
            ratios[f"ratio_to_copy_{readings}_{key}"] = outcome.readings_per_s / by_name["COPY"].readings_per_s
    if "naive loop" in by_name:
        naive_loop = by_name["naive loop"]
        ratios[f"ratio_to_naive_{readings}"] = ours.messages_per_s / naive_loop.messages_per_s
        # Who takes nothing but time from broker and publishers cannot be quicker than they are: what is left is the CPU time.
        ratios[f"ratio_of_mosquitto_sub_to_naive_{readings}"] = (
            by_name["mosquitto_sub"].messages_per_s / naive_loop.messages_per_s
        )
        ratios[f"cpu_ratio_to_naive_{readings}"] = _own_cpu_us(naive_loop) / max(_own_cpu_us(ours), 1e-9)
    return {name: round(value, 3) for name, value in ratios.items()}


def _own_cpu_us(outcome: Outcome) -> float:
    """CPU time a message of taker and database: without broker and publishers, which cost everybody the same."""
    return outcome.cpu_us.get("taker", 0.0) + outcome.cpu_us.get("postgres", 0.0)


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    told = report["machine"]
    lines = [
        f"{told['cpu']}, {told['cores']} cores, {told['memory_gb']} GB, {told['system']}, Python {told['python']},"
        f" {told['database']}, {told['broker']}",
        "",
        f"{'readings a message':>18}  {'contestant':32} {'messages/s':>12} {'readings/s':>12} {'of sub':>7} {'of COPY':>8}"
        "  CPU µs a message",
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
                    f"  {_cpu(found['cpu_us_per_message'])}"
                )
    if "ratio_to_naive_1" in report:
        lines += [
            "",
            f"One reading a message, beside the naive loop: {report['ratio_to_naive_1']:.1f} times the rate"
            f" (mosquitto_sub: {report['ratio_of_mosquitto_sub_to_naive_1']:.1f}), at 1 /"
            f" {report['cpu_ratio_to_naive_1']:.1f} of the CPU time of taker and database",
        ]
    if "latency_p99_ms" in report:
        lines.append(
            f"Publish → visible at {report['latency_load_messages_per_s']:,} messages/s: p50 {report['latency_p50_ms']:.0f} ms,"
            f" p95 {report['latency_p95_ms']:.0f} ms, p99 {report['latency_p99_ms']:.0f} ms"
        )
    return "\n".join(lines)


def _cpu(found: dict[str, float]) -> str:
    """Where the time goes, the publishers together."""
    shown = {group: us for group, us in found.items() if not group.startswith("publisher")}
    publishing = sum(us for group, us in found.items() if group.startswith("publisher"))
    if publishing:
        shown["publishers"] = publishing
    return ", ".join(f"{group} {us:.0f}" for group, us in shown.items())

"""``python -m tests.fuzzing``: so many damaged messages, what became of them, and what memory it took."""

from __future__ import annotations

import argparse
import json
import resource
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

from tests.fuzzing.damage import damaged, damaged_topic
from tests.fuzzing.laws import Item, Judge, Outcome
from tests.fuzzing.sites import Site, sites

_BATCH = 200
_HEADERS = (0x32, 0x32, 0x32, 0x33, 0x30, 0x31, 0x3A, 0x3B, 0x132)
"""QoS 1, retained, QoS 0, delivered before, beyond the rate."""


def run(payloads: int, seed: int, *, every: int = 0, of: str = "") -> tuple[Outcome, list[dict[str, Any]]]:
    """Damage so many messages and judge each.

    :param of: only of the sites whose names begin so: ``senml`` for that protocol's cases.
    :param every: tell memory and time after each so many messages.
    :returns: what became of them, and what was told.
    """
    random, outcome, begun = Random(seed), Outcome(), time.monotonic()
    told: list[dict[str, Any]] = []
    judges = [(site, Judge(site, outcome)) for site in sites() if site.name.startswith(of)]
    if not judges:
        raise SystemExit(f"No site begins with {of!r}; there are: {', '.join(site.name for site in sites())}")
    while outcome.messages < payloads:
        site, judge = random.choice(judges)
        judge.take(list(items(random, site, min(_BATCH, payloads - outcome.messages))))
        if every and outcome.messages // every > len(told):
            told.append(
                {"messages": outcome.messages, "rss_kb": resident_kb(), "seconds": round(time.monotonic() - begun, 1)}
            )
            print(told[-1], file=sys.stderr, flush=True)
    return outcome, told


def items(random: Random, site: Site, n: int) -> Iterator[Item]:
    """Messages of one site, most of them damaged; now and then some that follow on each other, as they were."""
    whole: list[tuple[bytes, bytes]] = []
    for mid in range(1, n + 1):
        if not whole and random.random() < 0.04:
            place = random.randrange(len(site.recorded))
            whole = site.recorded[place : place + 4]
        if whole:
            yield *whole[0], mid, 0x32
            whole = whole[1:]
            continue
        topic, payload = random.choice(site.recorded)
        other_topic, other = random.choice(site.recorded)
        if random.random() < 0.15:
            topic = damaged_topic(random, topic, other_topic)
        yield topic, damaged(random, payload, other), mid, random.choice(_HEADERS)


def resident_kb() -> int:
    """Memory of this process now; its highest where the system does not tell."""
    status = Path("/proc/self/status")
    if status.exists():
        line = next(line for line in status.read_text().splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1])
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def main() -> None:
    """Run, and print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--payloads", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--of", default="", help="only sites whose names begin so, such as a protocol")
    given = parser.parse_args()
    outcome, told = run(given.payloads, given.seed, every=max(1, given.payloads // 10), of=given.of)
    print(
        json.dumps(
            {
                "payloads": outcome.messages, "seed": given.seed, "of": given.of, "ends": dict(outcome.ends.most_common()),
                "items": dict(outcome.items.most_common()), "reasons": dict(outcome.reasons.most_common()), "told": told,
            },
            indent=1,
        )
    )  # fmt: skip


if __name__ == "__main__":
    main()

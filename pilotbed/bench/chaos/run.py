"""The run: load, kills at random instants, settling, judging; first what level 1 covers, then with the broker's SIGKILL."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from core.errors import EnvironmentProblem, PermanentError
from pilotbed.bench.chaos.kills import KILLS, Kill
from pilotbed.bench.chaos.load import Load, counted, instructions, start_ms
from pilotbed.bench.chaos.stage import Stage, small_disk
from pilotbed.bench.chaos.verdict import Verdict, judge
from pilotbed.bench.machine import machine
from pilotbed.stack.account import temporary_folder

RATE: Final = 1500.0
_BETWEEN_S: Final = (0.3, 2.5)
"""Load between two kills: the next one may meet a platform that is still recovering."""
_SETTLE_WITHIN_S: Final = 120.0
_QUIET_S: Final = 8.0
"""Nothing was committed for so long, with every collector listening: nothing more will come."""
_BRIEF_S: Final = 1.5
"""The same where everything is there: what may still come was there before."""
_STUCK_S: Final = 30.0
"""Nothing new came for so long, though something is still awaited: it will not come."""

METHOD: Final = (
    "PostgreSQL, Mosquitto and collectors as the local stack runs them, each collector behind a proxy to either server;"
    " devices at QoS 1, one a slot: half go by receipts, a quarter number their messages, a quarter do not. Kills at random"
    " instants under load, each verified. First those of level 1; then all senders fall silent, everything is settled and"
    " judged; then likewise with the broker's SIGKILL among the kills. Lost: acknowledged to the device (by the broker; at"
    " level 2 let go of after a receipt) and not in the table of readings."
)

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chaos:
    """What is to be run."""

    kills: int
    seed: int
    rate: float = RATE
    collectors: int = 2
    only: Sequence[str] = ()
    """Kinds of kill; none: all."""


def schedule(told: Chaos, *, disk: bool) -> tuple[list[Kill], list[Kill]]:
    """The kills of level 1, and those with the broker's SIGKILL among them: a quarter, and at least every other of these.

    Every kind comes before one comes again.
    """
    unknown = set(told.only) - {kill.name for kill in KILLS}
    if unknown:
        raise PermanentError(
            f"--only {sorted(unknown)[0]!r} is no kind of kill; there are: {', '.join(kill.name for kill in KILLS)}."
        )
    wanted = [kill for kill in KILLS if not told.only or kill.name in told.only]
    first = [kill for kill in wanted if kill.level == 1 and (disk or kill.name != "database_disk_full")]
    hard = [kill for kill in wanted if kill.level == 2]
    random = Random(told.seed)  # noqa: S311 - it is to be the same again
    count = 0 if not hard else told.kills if not first else max(1, told.kills // 4)
    turns = zip(_turns(hard, random, count), _turns(first or hard, random, count), strict=True)
    second = [kill for pair in turns for kill in pair][:count]
    return _turns(first, random, told.kills - count), second


def _turns(kinds: Sequence[Kill], random: Random, count: int) -> list[Kill]:
    turns: list[Kill] = []
    while kinds and len(turns) < count:
        turns += random.sample(kinds, len(kinds))
    return turns[:count]


def bench_chaos(told: Chaos, *, say: Say) -> dict[str, Any]:
    """Run it.

    :returns: the report, ready for JSON; ``passed`` says whether everything was as promised.
    """
    with ExitStack() as open_:
        folder = open_.enter_context(temporary_folder("pilotbed-chaos-"))
        wants_disk = not told.only or "database_disk_full" in told.only
        disk = open_.enter_context(small_disk(folder / "disk")) if wants_disk else None
        first, second = schedule(told, disk=disk is not None)
        left_out = [] if disk is not None or not wants_disk else ["database_disk_full"]
        if left_out:
            say("Left out: database_disk_full, because no small disk can be mounted here (that takes root on Linux).")
        if not first and not second:
            raise EnvironmentProblem("No kind of kill is left that this machine can take: name others with --only.")
        begun = time.monotonic()
        stage = open_.enter_context(Stage(folder, collectors=told.collectors, disk=disk, say=say))
        at_ms = start_ms()
        senders = instructions(stage.credentials, rate=told.rate, start_ms=at_ms, boot=f"chaos-{told.seed}")
        load = open_.enter_context(Load(senders, address=stage.device_address))
        random = Random(told.seed)  # noqa: S311 - likewise
        run = _Run(stage=stage, load=load, random=random, start_ms=at_ms, say=say)
        before = run.round(first, "level 1", broker_killed=False) if first else None
        after = run.round(second, "level 2", broker_killed=True) if second else None
        return {
            "kills": sum(run.done.values()),
            **_figures(before, after),
            "by_kind": dict(sorted(run.done.items())),
            "left_out": left_out,
            "seed": told.seed,
            "rate": told.rate,
            "collectors": told.collectors,
            "took_s": round(time.monotonic() - begun, 1),
            "machine": machine(stage.engine),
            "method": METHOD,
        }  # fmt: skip


class _Run:
    def __init__(self, *, stage: Stage, load: Load, random: Random, start_ms: int, say: Say) -> None:
        self._stage = stage
        self._load = load
        self._random = random
        self._start_ms = start_ms
        self._say = say
        self._begun = time.monotonic()
        self.done: Counter[str] = Counter()
        """Kills by kind."""

    def round(self, kills: Sequence[Kill], name: str, *, broker_killed: bool) -> Verdict:
        """Kills under load, then silence, settling and the verdict."""
        self._load.go()
        self._stage.pause(1.0)
        for kill in kills:
            self._stage.pause(self._random.uniform(*_BETWEEN_S))
            at_s = time.monotonic() - self._begun
            met = kill.act(self._stage, self._random)
            self.done[kill.name] += 1
            self._say(f"{at_s:6.1f} s  {name}, kill {self.done.total()}: {kill.name} ({met})")
        self._stage.pause(1.0)
        self._load.hold()
        settled_s = self._settle()
        verdict = judge(self._stage, self._load.tell(), start_ms=self._start_ms, broker_killed=broker_killed)
        self._say(
            f"{time.monotonic() - self._begun:6.1f} s  {name}: settled after {settled_s:.1f} s,"
            f" published {verdict.published:,}, acknowledged {verdict.acknowledged:,}, stored {verdict.stored:,}"
        )
        for line in (*verdict.which, *verdict.wrong):
            self._say(f"          {line}")
        return verdict

    def _settle(self) -> float:
        """Wait until everything that was acknowledged is in the store, or nothing more comes."""
        begun = time.monotonic()
        moved, progress = _Still(), _Still()
        while time.monotonic() - begun < _SETTLE_WITHIN_S:
            self._stage.pause(0.5)
            senders = self._load.tell()
            open_ = sum(one.open for one in senders)
            stored = self._stage.number("distinct")
            quiet_s = moved.since_s((self._stage.settled(), open_))
            if progress.since_s((stored, open_)) >= _STUCK_S:
                break
            if stored is None or open_ or self._stage.listening() < len(self._stage.members):
                continue
            if quiet_s >= (_BRIEF_S if stored >= sum(counted(one.acknowledged) for one in senders) else _QUIET_S):
                break
        return time.monotonic() - begun


class _Still:
    """For how long something has not changed."""

    def __init__(self) -> None:
        self._last: object = None
        self._since = time.monotonic()

    def since_s(self, found: object) -> float:
        now = time.monotonic()
        if found != self._last:
            self._last, self._since = found, now
        return now - self._since


def _figures(before: Verdict | None, after: Verdict | None) -> dict[str, Any]:
    """:param before: the verdict on level 1; :param after: on the whole run, the broker's kills among it."""
    last = after or before
    assert last is not None
    level_1 = 0 if before is None else sum(before.lost.values())
    level_2 = last.lost_despite_receipts
    wrong = list(dict.fromkeys([*(before.wrong if before else ()), *last.wrong]))
    plain = 0 if after is None else after.lost.get("plain", 0) + after.lost.get("numbered", 0)
    if before is not None:
        plain -= min(plain, before.lost.get("plain", 0) + before.lost.get("numbered", 0))
    return {
        "published": last.published,
        "acknowledged": last.acknowledged,
        "stored": last.stored,
        "doubled": last.doubled,
        "lost_level_1": level_1,
        "lost_level_2": level_2,
        "lost_broker_kill_without_receipts": plain,
        "redelivered": last.redelivered,
        "duplicates": last.duplicates,
        "wrong": wrong,
        "which": [*(before.which if before else ()), *(after.which if after else ())],
        "passed": not (last.doubled or level_1 or level_2 or wrong),
    }


def table(report: dict[str, Any]) -> str:
    """The report for people."""
    kinds = ", ".join(f"{name} {n}" for name, n in report["by_kind"].items())
    lines = [
        f"{report['kills']} kills in {report['took_s']:.0f} s, seed {report['seed']}, {report['collectors']} collectors,"
        f" {report['rate']:,.0f} messages/s: {kinds}",
        "",
        *(
            f"{name.replace('_', ' '):36} {report[name]:>12,}"
            for name in (
                "published", "acknowledged", "stored", "duplicates", "redelivered", "doubled", "lost_level_1", "lost_level_2",
                "lost_broker_kill_without_receipts",
            )
        ),
        *report["which"],
        *report["wrong"],
        "",
        "Nothing was lost or doubled." if report["passed"] else "NOT as promised: see above.",
    ]  # fmt: skip
    return "\n".join(lines)

"""Findings out of what the tests say: with the rule, its thresholds and numbers, so that each can be reproduced."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from core.window import Window, instant
from telemetry.channels import ChannelInfo
from telemetry.findings import MISSING, Found
from telemetry.quality.gap import Silence
from telemetry.quality.jump import LEAST_H, NOISES, WINDOW_H
from telemetry.quality.runs import Run
from telemetry.quality.series import Family
from telemetry.quality.thresholds import Thresholds


def of_run(channel: ChannelInfo, family: Family, run: Run, by: Thresholds) -> Found:
    """What one stretch of flagged readings is told as."""
    return Found(
        slot_id=channel.slot_id,
        channel_id=channel.channel_ids[0],
        window=Window(start=instant(run.start_us), end=instant(run.end_us)),
        value=run.amount,
        unit=f"{channel.unit}/s" if family == "rate" else channel.unit,
        flag=run.flag,
        detail={
            **_rule(family, by),
            "by": by.origin(family),
            "suspect": run.suspect,
            "fail": run.fail,
            "low": run.low,
            "high": run.high,
            **({"dense": True} if run.dense else {}),
        },
    )


def of_silence(channel: ChannelInfo, silence: Silence, by: Thresholds, *, still: bool) -> Found:
    """What one gap is told as.

    :param still: it lasts; its end is how far it was told.
    """
    return Found(
        slot_id=channel.slot_id,
        channel_id=channel.channel_ids[0],
        window=Window(start=instant(silence.start_us), end=instant(silence.end_us)),
        value=(silence.end_us - silence.start_us) / 1e6,
        unit="s",
        flag=MISSING,
        detail={
            "rule": "silence",
            "by": by.origin("gap"),
            "threshold_s": by.gap_s,
            "period_s": by.period_s,
            "missing": silence.missing,
            **({"open": True} if still else {}),
        },
    )


def of_jump(
    slot_id: int, channel_id: int | None, window: Window, shift: float, unit: str, numbers: Mapping[str, Any]
) -> Found:
    """What one shift is told as."""
    fixed = {"window_h": WINDOW_H, "least_hours": LEAST_H, "noises": NOISES}
    return Found(
        slot_id=slot_id, channel_id=channel_id, window=window, value=shift, unit=unit, detail={**numbers, **fixed}
    )


def rounded(value: float) -> float:
    """To nine significant digits: means of summaries may differ in the last ones."""
    return float(f"{value:.9g}")


def _rule(family: Family, by: Thresholds) -> dict[str, Any]:
    match family:
        case "range" if by.states is not None:
            return {"rule": "undeclared_state", "states": by.states}
        case "range":
            rule = "increment_range" if by.counter and by.suspect is not None else "gross_range"
            return {"rule": rule, "fail_span": _span(by.fail), "suspect_span": _span(by.suspect)}
        case "spike":
            return {"rule": "spike_differential", **_pair(by.spike)}
        case "rate":
            return {"rule": "rate_of_change", **_pair(by.rate)}
        case "stuck":
            assert by.stuck is not None
            return {
                "rule": "flat_line",
                "suspect_above_s": by.stuck.suspect_s,
                "fail_above_s": by.stuck.fail_s,
                "tolerance": by.stuck.tolerance,
            }


def _pair(pair: tuple[float | None, float | None] | None) -> dict[str, float | None]:
    suspect, fail = pair or (None, None)
    return {"suspect_above": suspect, "fail_above": fail}


def _span(span: tuple[float, float] | None) -> list[float | None] | None:
    return None if span is None else [end if math.isfinite(end) else None for end in span]

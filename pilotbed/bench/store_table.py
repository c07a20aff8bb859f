"""The store's measurements for people."""

from __future__ import annotations

from typing import Any


def table(report: dict[str, Any]) -> str:
    """The report as text."""
    told, server = report["machine"], report["server"]
    lines = [
        f"{told['database']}; fsync {server['fsync']}, synchronous_commit {server['synchronous_commit']}, shared_buffers"
        f" {server['shared_buffers']}",
        f"{told['cpu']}, {told['cores']} cores, {told['memory_gb']} GB, {told['system']}, Python {told['python']}",
    ]
    for level in report["levels"]:
        lines += ["", *_level(level, report)]
    summary = report["summary"]
    lines += [
        "",
        f"Summaries of {summary['readings']:,} readings at {summary['share']:.2g} Hz: {summary['per_s']:,.0f}/s,"
        f" {summary['ratio']:.2f} of a bare read ({summary['limit_per_s']:,.0f}/s)",
    ]
    return "\n".join(lines)


def _level(level: dict[str, Any], report: dict[str, Any]) -> list[str]:
    shape = level["shape"]
    lines = [
        f"{level['readings']:,} readings: {shape['days']} days of {shape['slots'] * 3} gauges, {shape['meters']} counters,"
        f" {shape['slots']} states; load {level['load'][0]} before, {level['load'][1]} after",
        *_bytes(level, report),
        *_rates(level),
        f"  {'questions, one gauge':30} {'rows':>9} {'p50 ms':>9} {'p95 ms':>9}",
    ]
    for where in ("rows", "columns"):
        lines += [
            f"  {one['span'] + ', ' + one['way'] + ', ' + where:30} {one['rows']:>9,} {one['p50_ms']:>9.1f}"
            f" {one['p95_ms']:>9.1f}"
            for one in level.get(f"latency_{where}", [])
        ]
    return lines


def _bytes(level: dict[str, Any], report: dict[str, Any]) -> list[str]:
    before = level["bytes_rows"]
    lines = [f"  bytes a reading: {before['total']:.1f} (table {before['heap']:.1f}, indexes {before['indexes']:.1f})"]
    if "columns" not in level:
        return [*lines, "  plain PostgreSQL: nothing is compressed"]
    after = level["columns"]["bytes"]
    lines += [
        f"  … by column: {after['total']:.2f} (table {after['heap']:.2f}, long columns {after['toast']:.2f}, indexes"
        f" {after['indexes']:.2f}); target for gauges {report['target_bytes']:g}",
        f"  {'of which':12} {'readings':>11} {'observed':>9} {'received':>9} {'value':>7} {'flags':>7} {'rest':>7} {'total':>7}",
    ]
    lines += [
        f"  {one['kind']:12} {one['readings']:>11,} {one['observed_at']:>9.2f} {one['received_at']:>9.2f} {one['value']:>7.2f}"
        f" {one['flags']:>7.2f} {one['rest']:>7.2f} {one['total']:>7.2f}"
        for one in level["columns"]["kinds"]
    ]
    return lines


def _rates(level: dict[str, Any]) -> list[str]:
    named = (
        ("fill, bare COPY", level["fill"], ""),
        ("committer", level["committer"], "COPY"),
        ("summaries", level["summarised"], ""),
        ("quality", level["judged"], "scan"),
        ("seal, rows", level["sealed_rows"], "scan"),
        ("moved to columns", level.get("columns"), ""),
        ("seal, columns", level.get("sealed_columns"), "scan"),
    )
    lines = [f"  {'readings/s':20} {'rate':>11} {'of':>5} {'limit':>12} {'ratio':>6} {'of CPU':>7}"]
    for name, one, limit in named:
        if one is None:
            continue
        beside = (
            f" {limit:>5} {one['limit_per_s']:>12,.0f} {_ratio(one['ratio']):>6} {_ratio(one['cpu_ratio']):>7}"
            if limit
            else ""
        )
        lines.append(f"  {name:20} {one['per_s']:>11,.0f}{beside}")
    return lines


def _ratio(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"

"""A second judge: every figure and verdict of a pilot, worked out anew from its exported files alone.

Written from docs/kpi.md and docs/plan.md, as an auditor would who trusts nobody's program: it shares no code with what it
checks (a test walks its imports), and reads nothing but a folder of ``pilotbed export PILOT --format parquet``.
"""

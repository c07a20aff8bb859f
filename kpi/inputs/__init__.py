"""What measures are computed from, gathered from telemetry: the only part of ``kpi`` that reads the store."""

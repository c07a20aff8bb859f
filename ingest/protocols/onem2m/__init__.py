"""oneM2M notifications and content instances (TS-0004, TS-0010), by the JSON mapping."""

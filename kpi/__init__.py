"""Did it do what was promised? Plan and telemetry become measures, intervals, verdicts and results."""

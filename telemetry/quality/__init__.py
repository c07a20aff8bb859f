"""What is noticed about readings: pure tests, one module a family, and what runs them over closed hours.

``gap``, ``stuck``, ``ranges``, ``spike``, ``rate`` and ``jump`` take columns and give a flag for each reading (``jump``: for each
hour). ``thresholds`` says by what a channel is judged, ``series`` puts the tests of one channel together, ``runs`` makes
stretches of flagged readings, ``judge`` runs all of it and keeps findings (:mod:`telemetry.findings`). ``intervals`` and
``completeness`` answer questions. Clocks are judged by slot, from delays: :mod:`telemetry.clock` and :mod:`telemetry.pace`.
"""

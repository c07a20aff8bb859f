"""The measures, one file a kind: pure functions of records. No I/O, no clock."""

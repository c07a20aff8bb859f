"""Documents of record: what the numbers say, set on paper."""

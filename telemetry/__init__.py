"""What do we know, and can we prove it? Readings → store, summaries, queries."""

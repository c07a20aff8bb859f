"""Seals: what a pilot's day of receipt came to, in one signed hash, chained from day to day. See docs/evidence.md."""

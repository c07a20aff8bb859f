"""Bundles: what proves a pilot's results, written from the store, and judged again without it. See docs/evidence.md."""

"""Recorded messages, damaged: whatever arrives, each ends as exactly one of committed or quarantined.

``python -m tests.fuzzing --payloads 1000000`` runs it for long; a test runs it for a few seconds.
"""

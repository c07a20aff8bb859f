"""Sparkplug B 3.0."""

"""Measurements of this machine: what the platform reaches beside what the parts alone reach."""

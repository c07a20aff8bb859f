"""What a bundle answers to SQL blocks of the store, one module a subject; see :mod:`kpi.bundle.answers`."""

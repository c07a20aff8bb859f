"""Who may speak, and what are they expected to say? Plan file → registry, channels, broker credentials."""

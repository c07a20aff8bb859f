"""The plan file: its language, its reading with line numbers, its checks. It stands alone: no database, no broker."""

"""Senders that keep each message until the platform has said, in a receipt, that it is committed."""

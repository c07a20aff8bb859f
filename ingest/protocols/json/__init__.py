"""JSON as it comes: native, flat, wrapped, nested."""

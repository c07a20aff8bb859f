"""Evidence: a pilot's sealed data outside of the store, in one file in which every changed byte shows. See docs/evidence.md."""

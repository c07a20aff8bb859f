"""What people record about a pilot: agreed outages, intervals left out of judgement. Nothing is deleted, only withdrawn."""

"""The sentences of the plan's rules, by subject: English, then Korean."""

"""Background jobs: what keeps summaries, results and the broker true while nobody asks. Queue and clock are PostgreSQL's."""

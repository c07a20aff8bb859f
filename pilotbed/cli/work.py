"""``pilotbed work``: the background jobs alone."""

from __future__ import annotations

from core.errors import BrokerAway
from core.log import configure
from core.settings import settings
from pilotbed.jobs.worker import work as run_jobs
from pilotbed.stack.attach import attached_broker_url, attached_database


def work() -> None:
    """Run the background jobs: summaries, judgement of the running month, the broker's users, and its log."""
    configure("work")
    with attached_database() as database_url:
        try:
            broker_url = attached_broker_url()
        except BrokerAway:
            broker_url = None  # without a broker of ours there is nothing to keep in step
        run_jobs(database_url, broker_url, broker_log=settings().broker_log)

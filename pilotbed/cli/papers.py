"""Files that prove what people record, as the command line is given them."""

from __future__ import annotations

from pathlib import Path

from core.errors import EnvironmentProblem
from kpi.records import documents
from kpi.records.documents import Paper


def read_paper(path: Path) -> Paper:
    """A file that may be kept.

    :raises EnvironmentProblem: it cannot be read.
    :raises PermanentError: it is empty, or too large.
    """
    try:
        with path.open("rb") as file:
            return documents.paper(path.name, file.read(documents.MOST_BYTES + 1))
    except OSError as error:
        raise EnvironmentProblem(f"{path} cannot be read ({error.strerror}): name a file that is there.") from error

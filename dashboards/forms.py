"""What the forms of several pages share."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import Form, UploadFile

from dashboards.users import Role
from kpi.records import documents
from kpi.records.documents import Paper

ENTERING: Final[tuple[Role, ...]] = ("officer", "admin")
"""Who records what people observed."""

Text = Annotated[str, Form(max_length=2_000)]
"""A field, as it was typed."""


def paper_of(document: UploadFile | None) -> Paper:
    """The document that came with a form.

    :raises PermanentError: there is none, or it is none that can be kept.
    """
    name, content = ("", b"") if document is None else (document.filename or "", document.file.read())
    return documents.paper(name, content)

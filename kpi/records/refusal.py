"""A rule that does not allow what somebody wants to record, said in English (the command line) and in Korean (the pages)."""

from __future__ import annotations

from core.errors import PermanentError


class Refused(PermanentError):
    """What cannot be recorded, and why."""

    def __init__(self, english: str, korean: str) -> None:
        super().__init__(english)
        self.korean = korean

    def text(self, language: str) -> str:
        """The sentence in a language of the pages."""
        return self.korean if language == "ko" else str(self)


def refusal_text(error: PermanentError, language: str) -> str:
    """What a page says of a refusal; one that has no Korean in its English."""
    return error.text(language) if isinstance(error, Refused) else str(error)

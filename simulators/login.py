"""Who connects where, and why a broker says no to it."""

from __future__ import annotations

from dataclasses import dataclass

from core.errors import PermanentError


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """Where the broker is, and who connects to it. The user name is the client id too."""

    host: str
    port: int
    username: str
    password: str
    tls: bool = False

    @property
    def broker(self) -> str:
        """The broker, for a message."""
        return f"The broker at {self.host}:{self.port}"

    def __repr__(self) -> str:
        return f"Login({self.username} at {self.host}:{self.port})"


class LoginRefused(PermanentError):
    """The broker does not know the credential."""

    def __init__(self, login: Login, code: object) -> None:
        super().__init__(
            f"{login.broker} refuses user {login.username!r} ({code}): the credential is wrong or was withdrawn."
            " Issue a new one: pilotbed device credentials."
        )


class PublishRefused(PermanentError):
    """The broker answered a message with a failure."""

    def __init__(self, login: Login, where: str, code: object) -> None:
        super().__init__(
            f"The broker refuses a message of {login.username!r} to {where} ({code}): the credential does not speak for"
            " that slot, or the plan that is applied is another. Use the slot's own credential."
        )


class SubscriptionRefused(PermanentError):
    """The credential may not hear what it subscribed to."""

    def __init__(self, login: Login, topic: str, code: object) -> None:
        super().__init__(
            f"The broker does not let {login.username!r} hear {topic!r} ({code}): the credential does not speak for that"
            " slot, or the plan that is applied is another. Use the slot's own credential."
        )


class TakenOver(PermanentError):
    """Somebody else connected with the same credential."""

    def __init__(self, login: Login) -> None:
        super().__init__(
            f"{login.broker} keeps ending the connection of {login.username!r}: another client uses the same credential,"
            " which has one live connection. Stop the other, or issue a new credential: pilotbed device credentials."
        )

"""Settings: environment variables ``PILOTBED_*``, then one file ``settings.toml`` in the data directory.

Every setting is a documented field here; ``pilotbed doctor`` lists them. Secrets are never printed.
"""

from __future__ import annotations

import os
from functools import cache
from pathlib import Path

from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from core.errors import PermanentError


def default_data_dir() -> Path:
    """The data directory without a setting: ``~/.pilotbed``, or ``/var/lib/pilotbed`` as root."""
    return Path("/var/lib/pilotbed") if os.geteuid() == 0 else Path.home() / ".pilotbed"


class Settings(BaseSettings):
    """What an operator can set. Each field is also an environment variable ``PILOTBED_<NAME>``."""

    model_config = SettingsConfigDict(env_prefix="PILOTBED_", extra="ignore", frozen=True)

    data_dir: Path = Field(default_factory=default_data_dir, description="Where the embedded stack keeps its data.")
    database_url: SecretStr | None = Field(
        None, description="A PostgreSQL server to use instead of the embedded one (postgresql://user:password@host/db)."
    )
    mqtt_url: SecretStr | None = Field(
        None, description="A broker to use instead of the embedded one (mqtt://user:password@host:port)."
    )
    mqtt_address: str | None = Field(
        None,
        pattern=r"^mqtts?://[^/@\s]+$",
        description="Where devices reach the broker (mqtt://host:port), where that is not where we reach it.",
    )
    mqtt_ca: Path | None = Field(
        None, description="The CA file by which we believe a broker at mqtts://…; without it the system's CAs."
    )
    mqtt_certificate: Path | None = Field(
        None, description="Our own certificate (PEM), where the broker asks its clients for one."
    )
    mqtt_key: Path | None = Field(None, description="The key of that certificate (PEM), without a passphrase.")
    host: str = Field("127.0.0.1", description="The address the web server and the broker listen on.")
    web_port: int = Field(8400, ge=0, le=65535, description="Port of the web server; 0 takes a free one.")
    mqtt_port: int = Field(18830, ge=0, le=65535, description="Port of the embedded broker; 0 takes a free one.")
    database_port: int = Field(0, ge=0, le=65535, description="Port of the embedded PostgreSQL; 0 takes a free one.")
    postgres_bin: Path | None = Field(
        None,
        description="The folder of another PostgreSQL's programs for the embedded server, in place of the package's.",
    )
    mosquitto: Path | None = Field(None, description="The mosquitto program, where it is not found by itself.")
    mosquitto_plugin: Path | None = Field(
        None, description="Mosquitto's dynamic security plugin, where it is not found by itself."
    )
    broker_certificate: Path | None = Field(
        None,
        description="The embedded broker's certificate (PEM, with its chain): devices then reach it by TLS, at mqtts://….",
    )
    broker_key: Path | None = Field(None, description="The key of that certificate (PEM), without a passphrase.")
    broker_client_ca: Path | None = Field(
        None,
        description="The CA file of the devices' certificates: each then needs one, besides its user and password.",
    )
    broker_log: Path | None = Field(
        None,
        description="The broker's log, for `work` to read what it did not take of devices. `up` sets it for its own.",
    )
    collector: str = Field(
        "collector-1",
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
        description="This collector's fixed name: its broker user, its client id and the key of its session.",
    )
    batch_messages: int = Field(10_000, ge=1, description="At most so many messages a commit.")
    batch_seconds: float = Field(
        0.1, gt=0, description="A batch is committed at the latest so long after its first message."
    )
    high_water_messages: int = Field(
        100_000,
        ge=1,
        description="Unacknowledged messages in memory at which the collector disconnects until it has committed.",
    )
    max_payload_bytes: int = Field(262_144, ge=1_024, description="A larger message is quarantined by head and hash.")
    max_topic_bytes: int = Field(1_024, ge=64, le=65_535, description="A message with a longer topic is quarantined.")
    max_messages_per_second: float | None = Field(
        None,
        gt=0,
        description="What one connection may send for long; what comes beyond it (after a burst of ten seconds' worth) is"
        " quarantined. Without it there is no limit.",
    )
    quarantine_messages_per_day: int = Field(
        100_000,
        ge=0,
        description="So many quarantined messages a connection and day are kept; others by hash and count.",
    )
    quarantine_bytes_per_day: int = Field(
        268_435_456, ge=0, description="So many bytes of them a connection and day are kept; others by hash and count."
    )
    collectors: int = Field(
        1,
        ge=1,
        le=64,
        description="How many collectors divide the connections among them, named collector-1 to collector-N; `up` starts all.",
    )
    shared_group: str | None = Field(
        None,
        pattern=r"^[a-z][a-z0-9-]{0,30}$",
        description="Collectors of one group share the messages by MQTT 5 shared subscriptions instead. Not with Mosquitto,"
        " which forgets those when it restarts.",
    )
    judge_minutes: int = Field(
        360, ge=1, description="A month or date that is not final is judged again so long after the last time."
    )
    clock_threshold_s: float = Field(
        30.0, ge=1.0, description="A device's clock that is off by more seconds than this is a finding."
    )
    keep_messages: bool = Field(True, description="Keep raw messages, so that a wrong mapping can be corrected.")
    columnstore_after_days: int = Field(
        8,
        ge=1,
        description="On TimescaleDB: readings of weeks that ended so many days ago are kept by column, in a tenth of the space.",
    )
    seal_key: Path | None = Field(
        None,
        description="The file of the private key that signs seals (PEM, 0600); by default seal.key in the data directory."
        " What was sealed is remembered beside it.",
    )
    timestamp_url: str | None = Field(
        None,
        pattern=r"^https?://",
        description="A time-stamping authority (RFC 3161) that each seal's head is sent to.",
    )
    timestamp_ca: Path | None = Field(
        None, description="The certificate (PEM) of that authority's root: its answers are then verified."
    )
    smtp_url: SecretStr | None = Field(
        None,
        description="A mail server for each day's statement: smtp://user:password@host:port?from=…&to=…, or smtps://;"
        " {company} and {pilot} in `to` stand for their ids.",
    )
    session_key: SecretStr | None = Field(
        None, description="Signs browser sessions. Without it one is made and kept in the data directory."
    )
    metrics_token: SecretStr | None = Field(
        None, description="Lets another machine read /metrics (Authorization: Bearer …); without it only this one may."
    )
    organisation: str = Field("서울특별시", description="The organisation that issues the documents.")
    team: str = Field("테스트베드 사업단", description="The programme team named on the documents.")
    language: str = Field(
        "ko", pattern="^(ko|en)$", description="The language of pages and documents before anybody chooses."
    )

    @property
    def seal_key_file(self) -> Path:
        """Where the key that signs seals lies."""
        return self.seal_key or self.data_dir.absolute() / "seal.key"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - pydantic-settings passes all four
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the file."""
        data_dir = Path(os.environ.get("PILOTBED_DATA_DIR") or default_data_dir())
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, data_dir / "settings.toml")


@cache
def settings() -> Settings:
    """The settings of this process, read once.

    :raises PermanentError: a value is not of the kind its setting takes; every such value is named.
    """
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"PILOTBED_{'_'.join(map(str, e['loc'])).upper()}: {e['msg']}" for e in error.errors())
        raise PermanentError(f"Settings not usable: {faults}. Correct the environment or settings.toml.") from None

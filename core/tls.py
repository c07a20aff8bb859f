"""How we speak TLS to a broker: whom we believe, and who we are."""

from __future__ import annotations

import ssl
from pathlib import Path

from core.errors import EnvironmentProblem
from core.settings import Settings


def client_context(chosen: Settings) -> ssl.SSLContext:
    """The context for a connection to ``mqtts://…``, from PILOTBED_MQTT_CA, _CERTIFICATE and _KEY.

    The broker's name is checked against its certificate, always.

    :raises EnvironmentProblem: a file cannot be read or is not what its setting says; the message names the setting.
    """
    try:
        context = ssl.create_default_context(cafile=None if chosen.mqtt_ca is None else str(chosen.mqtt_ca))
    except OSError as error:
        raise EnvironmentProblem(
            f"PILOTBED_MQTT_CA names {chosen.mqtt_ca}, which is not usable ({told(error)}): name a PEM file with the CA's"
            " certificate."
        ) from error
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if chosen.mqtt_certificate is not None or chosen.mqtt_key is not None:
        load_pair(
            context,
            chosen.mqtt_certificate,
            chosen.mqtt_key,
            certificate_setting="PILOTBED_MQTT_CERTIFICATE",
            key_setting="PILOTBED_MQTT_KEY",
        )
    return context


def load_pair(
    context: ssl.SSLContext,
    certificate: Path | None,
    key: Path | None,
    *,
    certificate_setting: str,
    key_setting: str,
) -> None:
    """Take a certificate and its key, which are given both or not at all.

    :raises EnvironmentProblem: one is missing, cannot be read, or is not the other's.
    """
    if certificate is None or key is None:
        given, lacking = (certificate_setting, key_setting) if key is None else (key_setting, certificate_setting)
        raise EnvironmentProblem(
            f"{given} is set and {lacking} is not: a certificate needs its key. Set both, or neither."
        )
    try:
        # Without a password OpenSSL would ask the terminal for one.
        context.load_cert_chain(certificate, key, password="")
    except (OSError, ValueError) as error:
        raise EnvironmentProblem(
            f"{certificate_setting} ({certificate}) and {key_setting} ({key}) are not usable ({told(error)}): name a PEM"
            " certificate and its own key, without a passphrase, that this user may read."
        ) from error


def told(error: Exception) -> str:
    """The reason of an error of files or OpenSSL, in one line."""
    if isinstance(error, ssl.SSLError):
        return (error.reason or str(error)).lower().replace("_", " ")
    return getattr(error, "strerror", None) or str(error)

"""compose.yaml and Dockerfile: valid by the Compose Specification, in step with the code, nothing open by default."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest
from docker.utils.build import exclude_paths  # type: ignore[import-untyped]
from ruamel.yaml import YAML

import pilotbed
from core.settings import Settings
from ingest.collector import STOP_WITHIN_S
from pilotbed.cli import COMMANDS, broker_setup
from tests.composed import (
    EXAMPLE,
    FILE,
    OUR_IMAGE,
    ROOT,
    VARIABLE,
    compose,
    copied,
    dockerfile,
    environment,
    ours,
    required,
    services,
    some_secrets,
)

GUIDE = ROOT / "docs" / "compose.md"
SETTINGS = {f"PILOTBED_{name.upper()}" for name in Settings.model_fields}
SET_UP = {broker_setup.ADMIN_VARIABLE, broker_setup.COLLECTOR_VARIABLE}
SECRET_NAME = re.compile(r"PASSWORD|KEY|SECRET|TOKEN")
PACKAGES = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["root_packages"]


def environments() -> Iterator[tuple[str, str, str | None]]:
    """Service, variable, value."""
    for service, parts in services().items():
        for name, value in parts.get("environment", {}).items():
            yield service, name, value


# --- by the specification --------------------------------------------------------------------------------------------


def valid(file: Path) -> subprocess.CompletedProcess[str]:
    if find_spec("check_jsonschema") is None:
        pytest.skip("check-jsonschema, which brings the Compose Specification's schema, is not installed")
    return subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec", str(file)],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_the_file_is_valid_by_the_compose_specification() -> None:
    done = valid(FILE)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("    command: [collect]", "    comand: [collect]"),
        ("{condition: service_healthy}", "{condition: service_well}"),
        ("    tmpfs: [/tmp, /run/postgresql]", "    tmpfs: {a: /tmp}"),
    ],
)
def test_that_validation_refuses_a_slip(tmp_path: Path, right: str, wrong: str) -> None:
    text = FILE.read_text(encoding="utf-8")
    assert right in text
    slipped = tmp_path / "compose.yaml"
    slipped.write_text(text.replace(right, wrong), encoding="utf-8")
    assert valid(slipped).returncode != 0


def test_docker_compose_itself_reads_the_file(tmp_path: Path) -> None:
    docker = shutil.which("docker")
    if docker is None or subprocess.run([docker, "compose", "version"], capture_output=True, check=False).returncode:
        pytest.skip("there is no `docker compose` here (it needs no running engine for this)")
    given = tmp_path / "env"
    given.write_text("".join(f"{name}={value}\n" for name, value in some_secrets().items()), encoding="utf-8")
    done = subprocess.run(
        [docker, "compose", "--file", str(FILE), "--env-file", str(given), "--profile", "cli", "config", "--quiet"],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# --- in step with the code -------------------------------------------------------------------------------------------


def test_every_command_exists() -> None:
    commands = {name: service["command"][0] for name, service in ours().items()}
    assert commands.pop("cli") == "--help"
    assert commands.pop("broker-log").endswith(".pipe")  # of its own entry point
    assert set(commands) == {"migrate", "broker-setup", "collect", "work", "serve"}
    for command in commands.values():
        assert find_spec(COMMANDS[command][0]) is not None


def test_health_is_asked_of_modules_that_exist() -> None:
    asked = [service["healthcheck"]["test"] for service in ours().values() if "healthcheck" in service]
    asked += [service["entrypoint"] for service in ours().values() if "entrypoint" in service]
    modules = [test[test.index("-m") + 1] for test in asked if "-m" in test]
    assert len(modules) == 3
    assert all(find_spec(module) is not None for module in modules)


def test_what_runs_on_says_whether_it_is_healthy() -> None:
    lasting = {name for name, service in services().items() if service["restart"] != "no"}
    assert lasting == {"database", "broker", "broker-log", "collect", "work", "serve", "grafana"}
    assert {name for name, service in services().items() if "healthcheck" in service} == lasting


def test_every_variable_is_a_setting() -> None:
    used = {name for _, name, _ in environments() if name.startswith("PILOTBED_")}
    assert used - SETTINGS == SET_UP
    assert all(name in GUIDE.read_text(encoding="utf-8") for name in SET_UP)


def test_every_setting_is_usable_as_it_is_given(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("PILOTBED_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PILOTBED_DATA_DIR", str(tmp_path))
    given = some_secrets()
    for service in ours().values():
        if "environment" not in service:
            continue
        with monkeypatch.context() as context:
            for name, value in environment(service, given).items():
                context.setenv(name, value)
            found = Settings()
        assert found.database_url is not None
        assert given["PILOTBED_DATABASE_PASSWORD"] in found.database_url.get_secret_value()


def test_the_example_names_every_variable_and_no_other() -> None:
    example = EXAMPLE.read_text(encoding="utf-8")
    named = set(re.findall(r"^(?:# )?([A-Z_]+)=", example, re.MULTILINE))
    taken = {match["name"] for match in VARIABLE.finditer(FILE.read_text(encoding="utf-8"))}
    taken |= {name for _, name, value in environments() if value is None}
    assert named == taken - {"USER"}
    assert set(re.findall(r"^([A-Z_]+)=", example, re.MULTILINE)) == required()


def test_the_example_shows_the_true_defaults() -> None:
    defaults = {
        match["name"]: match["rest"]
        for match in VARIABLE.finditer(FILE.read_text(encoding="utf-8"))
        if match["kind"] == ":-"
    }
    for name, field in Settings.model_fields.items():
        defaults.setdefault(f"PILOTBED_{name.upper()}", str(field.default))
    shown = re.findall(r"^# ([A-Z_]+)=(.*)$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE)
    assert len(shown) > 10
    for name, value in shown:
        assert value.lower() == defaults[name].lower(), name


def test_a_collector_has_time_to_commit_what_it_holds() -> None:
    assert int(services()["collect"]["stop_grace_period"].removesuffix("s")) >= STOP_WITHIN_S + 10


def test_the_broker_finds_what_is_set_up_for_it() -> None:
    [command, folder, *options] = services()["broker-setup"]["command"]
    assert (command, options) == ("broker-setup", ["--log-pipe"])
    assert f"-c {folder}/mosquitto.conf 2>{folder}/state/log.pipe" in services()["broker"]["command"][-1]
    assert services()["broker-setup"]["volumes"] == services()["broker"]["volumes"] == [f"broker:{folder}"]
    assert ("USER", services()["broker"]["user"]) in dockerfile()
    assert services()["broker-setup"]["environment"]["PILOTBED_COLLECTOR"] == "collector-1"


def test_what_the_broker_says_is_kept_and_read() -> None:
    keeper, work = services()["broker-log"], services()["work"]
    [pipe, log, echo] = keeper["command"]
    assert (pipe, echo) == ("/mosquitto/data/state/log.pipe", "--echo")
    assert keeper["network_mode"] == "none"
    [held, kept] = keeper["volumes"]
    assert held == services()["broker"]["volumes"][0]
    assert log.startswith(kept.split(":")[1] + "/")
    assert work["environment"]["PILOTBED_BROKER_LOG"] == log
    assert work["volumes"] == [f"{kept}:ro", "seals:/var/lib/pilotbed"]
    folders = " ".join(rest for name, rest in dockerfile() if name == "RUN")
    assert f" {kept.split(':')[1]}" in folders, "a new volume takes the owner of the folder that it is mounted on"


# --- nothing open by default -----------------------------------------------------------------------------------------


def test_no_secret_has_a_default() -> None:
    found = list(VARIABLE.finditer(FILE.read_text(encoding="utf-8")))
    assert {match["name"] for match in found if SECRET_NAME.search(match["name"])} == required()
    assert all(match["kind"] == ":?" for match in found if match["name"] in required())
    assert len(required()) == 5
    for service, name, value in environments():
        if SECRET_NAME.search(name):
            assert re.fullmatch(r"\$\{\w+:\?[^}]+\}", str(value)), (service, name)
    assert re.findall(r"^[A-Z_]+=.+$", EXAMPLE.read_text(encoding="utf-8"), re.MULTILINE) == []


def test_each_service_has_the_secrets_that_it_needs_and_no_other() -> None:
    held = {
        name: {match["name"] for value in service["environment"].values() for match in VARIABLE.finditer(str(value))}
        & required()
        for name, service in services().items()
        if "environment" in service
    }
    database = "PILOTBED_DATABASE_PASSWORD"
    admin, collector = "PILOTBED_BROKER_ADMIN_PASSWORD", "PILOTBED_COLLECTOR_PASSWORD"
    assert held == {
        "database": {database},
        "migrate": {database},
        "broker-setup": {database, admin, collector},
        "collect": {database, collector},
        "work": {database, admin},
        "serve": {database, "PILOTBED_SESSION_KEY"},
        "cli": {database, admin},
        "grafana": {"GRAFANA_ADMIN_PASSWORD"},
    }


def test_ports_are_published_on_the_loopback_address() -> None:
    published = {name: service["ports"] for name, service in services().items() if "ports" in service}
    assert set(published) == {"broker", "serve", "grafana"}
    for name, ports in published.items():
        for port in ports:
            assert re.fullmatch(r"\$\{\w+:-127\.0\.0\.1:\d+\}:\d+", port), (name, port)


def test_no_container_can_write_to_its_image() -> None:
    for name, service in services().items():
        assert service["read_only"] is True, name
        assert "/tmp" in service.get("tmpfs", []) or name == "broker", name
        assert "no-new-privileges:true" in service["security_opt"], name


def test_volumes_are_declared_and_used() -> None:
    mounted = {volume.split(":")[0] for service in services().values() for volume in service.get("volumes", [])} - {
        "./plans"
    }
    assert mounted == set(compose()["volumes"])


def test_the_web_server_keeps_its_data_in_the_volume() -> None:
    [volume] = services()["serve"]["volumes"]
    assert f"PILOTBED_DATA_DIR={volume.split(':')[1]}" in " ".join(rest for name, rest in dockerfile() if name == "ENV")


def test_the_database_keeps_its_data_in_the_volume() -> None:
    [volume] = services()["database"]["volumes"]
    assert services()["database"]["environment"]["PGDATA"].startswith(volume.split(":")[1] + "/")


# --- the images ------------------------------------------------------------------------------------------------------


def test_every_image_is_pinned() -> None:
    images = {service["image"] for service in services().values()}
    stages = [rest.split()[0] for instruction, rest in dockerfile() if instruction == "FROM"]
    assert len(set(stages)) == 1
    for image in images | set(stages):
        assert re.fullmatch(r"[a-z/-]+:\d+\.\d+\.\d+(-[a-z0-9]+)*", image), image


def test_our_image_has_our_version_and_is_built_once() -> None:
    assert {service["image"] for service in ours().values()} == {f"{OUR_IMAGE}:{pilotbed.__version__}"}
    assert [name for name, service in services().items() if "build" in service] == ["migrate"]


def in_the_build_context() -> set[str]:
    """By the Docker client's own reading of .dockerignore."""
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    patterns = [line for line in lines if line and not line.startswith("#")]
    found: set[str] = exclude_paths(str(ROOT), patterns)
    return {name for name in found if (ROOT / name).is_file()} - {"Dockerfile", ".dockerignore"}


def test_the_build_context_is_what_is_copied() -> None:
    sources = [source for source, _ in copied()]
    context = in_the_build_context()
    for source in sources:
        assert source in context or any(name.startswith(f"{source}/") for name in context), source
    strangers = {name for name in context if not any(name == s or name.startswith(f"{s}/") for s in sources)}
    assert strangers == set()
    assert not any(name.endswith(".pyc") for name in context)


def test_every_package_is_copied_whole() -> None:
    assert {source for source, _ in copied()} == {*PACKAGES, "LICENSE", "requirements/run.txt"}
    context = in_the_build_context()
    for package in PACKAGES:
        files = {str(path.relative_to(ROOT)) for path in (ROOT / package).rglob("*") if path.is_file()}
        assert {name for name in files if "__pycache__" not in name} <= context


def test_what_is_copied_runs_by_itself(tmp_path: Path) -> None:
    for source, destination in copied():
        if source in PACKAGES:
            assert destination == f"/opt/pilotbed/src/{source}"
            shutil.copytree(ROOT / source, tmp_path / source, ignore=shutil.ignore_patterns("__pycache__"))
    program = (
        "import pkgutil, sys\n"
        f"for package in {PACKAGES!r}:\n"
        "    for module in pkgutil.walk_packages([f'{sys.argv[1]}/{package}'], f'{package}.'):\n"
        "        if not module.name.endswith('__main__'):\n"
        "            found = __import__(module.name, fromlist=['x']).__file__\n"
        "            assert found.startswith(sys.argv[1]), found\n"
    )
    # Before the repository itself, which the installation points to.
    variables = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "-P", "-c", program, str(tmp_path)],
        cwd=tmp_path, env=variables, capture_output=True, text=True, timeout=100, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


# --- the guide -------------------------------------------------------------------------------------------------------


def test_the_guide_makes_usable_secrets(tmp_path: Path) -> None:
    [command] = re.findall(r"```sh\n(\[ -e \.env \].*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    shutil.copy(EXAMPLE, tmp_path)
    subprocess.run(["sh", "-eu", "-c", command], cwd=tmp_path, check=True, timeout=30)
    made = tmp_path / ".env"
    assert made.stat().st_mode & 0o077 == 0
    given = dict(re.findall(r"^([A-Z_]+)=(.*)$", made.read_text(encoding="utf-8"), re.MULTILINE))
    assert set(given) == required()
    assert len(set(given.values())) == len(given)
    assert all(re.fullmatch(r"[0-9a-f]{48}", value) for value in given.values())
    # A second time it touches nothing.
    before = made.read_bytes()
    subprocess.run(["sh", "-c", command], cwd=tmp_path, check=False, timeout=30, capture_output=True)
    assert made.read_bytes() == before


def test_the_guides_override_for_tls_is_valid_and_fits(tmp_path: Path) -> None:
    [text] = re.findall(r"```yaml\n(.*?)```", GUIDE.read_text(encoding="utf-8"), re.DOTALL)
    override = tmp_path / "compose.override.yaml"
    override.write_text(text, encoding="utf-8")
    given = dict(YAML(typ="safe", pure=True).load(text)["services"])
    assert set(given) <= set(services())
    [command, folder, *options] = given["broker-setup"]["command"]
    assert [command, folder, "--log-pipe"] == services()["broker-setup"]["command"]
    assert options == ["--log-pipe", "--listen-tls", "0.0.0.0:8883"]
    named = {name for service in given.values() for name in service.get("environment", {})}
    assert named <= SETTINGS
    assert "PILOTBED_BROKER_CLIENT_CA" in SETTINGS and "PILOTBED_BROKER_CLIENT_CA" in text
    # The file alone lacks what it overrides; with it, it is whole.
    whole = compose()
    for name, service in given.items():
        whole["services"][name] = whole["services"][name] | {k: v for k, v in service.items() if k != "environment"}
    merged = tmp_path / "merged.yaml"
    with merged.open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(whole, file)
    done = valid(merged)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_guide_names_services_that_exist() -> None:
    text = GUIDE.read_text(encoding="utf-8")
    used = re.findall(r"docker compose (?:logs|exec|stop|restart)(?: -\S+)* ([a-z-]+)", text)
    assert len(used) >= 4
    assert set(used) <= set(services())

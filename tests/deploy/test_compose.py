"""docker-compose.yml is valid, and everything that it names exists: commands, ports, health checks, variables, files."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import typer
import yaml

from domain.naming import Queue
from sandbox.__main__ import _parser
from sandbox.remote import PORTS
from starter.cli import app
from starter.serving import SECONDS_TO_END
from store.installation import load_installation
from tests.deploy.files import DEPLOY, PROJECT, compose, ours, services
from workers.running import GRACE

SERVER_VARIABLES = {
    "DB",
    "DB_PORT",
    "POSTGRES_SEEDS",
    "POSTGRES_USER",
    "POSTGRES_PWD",
    "NUM_HISTORY_SHARDS",
    "BIND_ON_IP",
    "DYNAMIC_CONFIG_FILE_PATH",
    "PROMETHEUS_ENDPOINT",
    "LOG_LEVEL",
    "TEMPORAL_BROADCAST_ADDRESS",
}
"""What the configuration template inside Temporal's server (1.32.0) reads of what we set."""


def test_the_file_fits_the_compose_specification() -> None:
    schema = json.loads((PROJECT / "tests" / "deploy" / "compose-spec.json").read_text("utf-8"))
    # Fields of later editions of the specification than the stored schema: `name`, and a file mode in octal.
    content = {key: value for key, value in compose().items() if key != "name"}
    errors = sorted(
        f"{'/'.join(map(str, error.absolute_path))}: {error.message}"
        for error in jsonschema.Draft201909Validator(schema).iter_errors(content)
    )
    assert errors == []


@pytest.mark.parametrize("name", [name for name in ours() if name != "sandbox"])
def test_every_command_of_ours_exists_with_its_options(name: str) -> None:
    command: Any = typer.main.get_command(app)
    words = list(ours()[name]["command"])
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(name, [*words, "--settings", "any.toml"])


def test_the_stand_ins_are_served_by_a_command_that_exists() -> None:
    text = ours()["sandbox"]["command"][0]
    words = re.sub(r'"\$\$\(cat /run/secrets/(\w+)\)"', r"\1", text).replace("\\\n", " ").split()
    assert words[:4] == ["exec", "python", "-m", "sandbox"]
    chosen = _parser(words[4:]).parse_args(words[4:])
    assert chosen.gateway_url == f"http://gateway:{ports_inside('gateway')[0]}/events"


def ports_inside(service: str) -> list[int]:
    return [int(each.rpartition(":")[2]) for each in services()[service]["ports"]]


def settings(folder: Path) -> Any:
    """deploy/bookings/settings.toml with invented secrets."""
    secrets = folder / "secrets"
    secrets.mkdir()
    shutil.copy(DEPLOY / "secrets" / "invent.sh", secrets)
    subprocess.run(["sh", str(secrets / "invent.sh")], check=True)
    text = (DEPLOY / "bookings" / "settings.toml").read_text("utf-8").replace("/run/secrets", str(secrets))
    path = folder / "settings.toml"
    path.write_text(text)
    return load_installation(path)


def test_the_settings_can_be_read_with_the_invented_secrets_and_fit_the_ports(tmp_path: Path) -> None:
    installation = settings(tmp_path)
    assert ports_inside("gateway") == [installation.gateway.port]
    assert ports_inside("console") == [installation.console.port]
    assert installation.temporal.target == "temporal:7233"
    password = (tmp_path / "secrets" / "postgres_password").read_text()
    assert installation.store_url == f"postgresql+psycopg://postgres:{password}@postgres/bookings"
    assert {path.name for path in (tmp_path / "secrets").iterdir()} - {"invent.sh"} == set(compose()["secrets"])
    giav = installation.agencies["demo"].giav
    assert giav is not None
    assert giav["url"].startswith(f"http://sandbox:{PORTS['giav']}/")
    assert installation.agencies["demo"].platform.url == f"http://sandbox:{PORTS['platform']}"


def test_secrets_can_be_read_in_containers_and_by_nobody_else_on_the_host(tmp_path: Path) -> None:
    """Compose mounts files as they are; the users in the images are others than whoever made them."""
    settings(tmp_path)
    folder = tmp_path / "secrets"
    assert folder.stat().st_mode & 0o777 == 0o700
    assert {name: (folder / name).stat().st_mode & 0o777 for name in compose()["secrets"]} == dict.fromkeys(
        compose()["secrets"], 0o644
    )


def test_the_database_takes_as_many_connections_as_in_the_production_check() -> None:
    allowed = int(services()["postgres"]["command"][-1].removeprefix("max_connections="))
    assert f"-N {allowed}" in (PROJECT / "tests" / "production" / "postgres.py").read_text("utf-8")


def test_containers_wait_for_longer_than_what_runs_may_take_to_end() -> None:
    for name, service in ours().items():
        patience = timedelta(seconds=int(service["stop_grace_period"].removesuffix("s")))
        assert patience >= GRACE + timedelta(seconds=5), name
        assert patience > timedelta(seconds=SECONDS_TO_END), name


def test_every_secret_is_explained_and_kept_out_of_the_repository() -> None:
    page = (DEPLOY / "secrets" / "README.md").read_text("utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", page, re.MULTILINE)) == set(compose()["secrets"])
    kept = subprocess.run(
        ["git", "ls-files", "deploy/secrets"], cwd=PROJECT, capture_output=True, text=True, check=False
    ).stdout.split()
    assert {Path(each).name for each in kept} <= {".gitignore", "README.md", "invent.sh"}


def test_no_secret_stands_in_an_environment_or_command() -> None:
    for name, service in services().items():
        for key, value in service.get("environment", {}).items():
            hidden = key.upper().endswith(("_FILE", "__FILE"))
            assert hidden or not re.search("PASSWORD|SECRET|TOKEN|PWD|KEY", key), f"{name}: {key}={value}"


def test_every_file_and_folder_that_is_mounted_exists() -> None:
    named = {name: PROJECT / each["file"] for name, each in compose()["configs"].items()}
    assert [str(path) for path in named.values() if not path.is_file()] == []
    for service in services().values():
        for config in service.get("configs", ()):
            assert config["source"] in named
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            exists = (PROJECT / source).is_dir() if source.startswith(".") else source in compose()["volumes"]
            assert exists, volume
        for secret in service.get("secrets", ()):
            assert secret in compose()["secrets"]


def test_every_task_queue_has_a_service_of_its_own() -> None:
    served = [tuple(each["command"]) for name, each in ours().items() if name.startswith("worker-")]
    assert sorted(served) == sorted(("worker", "--queue", queue.value) for queue in Queue)


def test_the_workers_of_another_version_are_the_same_but_for_their_version() -> None:
    other = yaml.safe_load((DEPLOY / "workers.yml").read_text("utf-8"))
    assert {tuple(each["command"]) for each in other["services"].values()} == {
        ("worker", "--queue", queue.value) for queue in Queue
    }
    for each in other["services"].values():
        mine = ours()["worker-giav"]
        assert {key: each[key] for key in ("read_only", "cap_drop", "secrets", "volumes", "stop_grace_period")} == {
            key: mine[key] for key in ("read_only", "cap_drop", "secrets", "volumes", "stop_grace_period")
        }
    project = compose()["name"]
    assert other["networks"]["default"]["name"] == f"{project}_default"
    assert other["volumes"]["data"]["name"] == f"{project}_data"
    for file in [*other["configs"].values(), *other["secrets"].values()]:
        assert (DEPLOY / file["file"]).resolve() in {
            (PROJECT / each["file"]).resolve()
            for each in [*compose()["configs"].values(), *compose()["secrets"].values()]
        }


def test_every_process_of_ours_is_asked_whether_it_is_ready_at_the_port_that_its_image_names() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text("utf-8")
    found = re.search(r"BOOKINGS_PROBES=0\.0\.0\.0:(\d+)", dockerfile)
    assert found
    prometheus = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    (scraped,) = [each for job in prometheus["scrape_configs"] for each in job.get("dns_sd_configs", ())]
    assert scraped["port"] == int(found[1])
    long = {name for name, each in ours().items() if each["restart"] == "unless-stopped" and name != "sandbox"}
    assert set(scraped["names"]) == long
    assert {
        name for name in long if services()[name]["healthcheck"]["test"] != ["CMD", "python", "-m", "workers.probing"]
    } == set()


def test_temporals_server_is_told_only_what_it_reads() -> None:
    temporal = services()["temporal"]
    exported = set(re.findall(r"(\w+)=\"\$\$\(", temporal["command"][0]))
    assert set(temporal["environment"]) - {"POSTGRES_PWD_FILE"} | exported == SERVER_VARIABLES
    mounted = {each["target"] for each in temporal["configs"]}
    assert temporal["environment"]["DYNAMIC_CONFIG_FILE_PATH"] in mounted
    metrics = temporal["environment"]["PROMETHEUS_ENDPOINT"].rpartition(":")[2]
    assert metrics in temporal["expose"]
    prometheus = (DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8")
    assert f"temporal:{metrics}" in prometheus


def test_what_a_service_waits_for_exists_and_can_become_that() -> None:
    for name, service in services().items():
        waits = service.get("depends_on", {})
        for other, how in waits.items() if isinstance(waits, dict) else ():
            assert other in services(), f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert "test" in services()[other]["healthcheck"], f"{other} has no health check"
            else:
                assert services()[other]["restart"] == "on-failure", f"{other} would never complete"


def test_databases_and_what_must_survive_lie_on_named_volumes() -> None:
    assert services()["postgres"]["volumes"] == ["postgres:/var/lib/postgresql"]
    assert all("data:/var/lib/bookings" in each["volumes"] for each in ours().values())


def test_the_image_is_built_of_locked_requirements_and_runs_without_rights() -> None:
    dockerfile = (PROJECT / "Dockerfile").read_text("utf-8")
    assert "--require-hashes -r requirements/runtime.txt" in dockerfile
    assert re.search(r"^USER 10001:10001$", dockerfile, re.MULTILINE)
    for name, service in ours().items():
        assert service["read_only"] is True, name
        assert service["cap_drop"] == ["ALL"], name
    for copied in re.findall(r"^COPY (?!--from)(\S+) ", dockerfile, re.MULTILINE):
        assert (PROJECT / copied).exists(), copied

"""A Temporal cluster on PostgreSQL: its four roles as processes of their own, built from the server's Go module."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from pathlib import Path

from starter.children import Child, Recipe
from starter.embedded import port_is_free, temporal_binary

PROJECT = Path(__file__).resolve().parents[2]
MODULE = "go.temporal.io/server"
ROLES = ("history", "matching", "frontend", "worker")
DYNAMIC_CONFIG = PROJECT / "deploy" / "temporal" / "dynamicconfig.yaml"
SCHEMA = PROJECT / "deploy" / "temporal" / "schema.sh"


class CannotBuild(Exception):
    """No Go toolchain or no module proxy is at hand; the text says which."""


def server_version() -> str:
    """The version of the server inside the embedded dev server, `1.32.0`."""
    said = subprocess.run([temporal_binary(), "--version"], capture_output=True, text=True, check=True).stdout
    found = re.search(r"[Ss]erver (\d+\.\d+\.\d+)", said)
    assert found, f"the embedded server does not tell its version: {said}"
    return found[1]


def built(folder: Path, announce: Callable[[str], None]) -> Path:
    """The folder with `server` and `sql` of that version; built once, which takes some minutes. Raises `CannotBuild`."""
    version = server_version()
    binaries = folder / f"temporal-{version}"
    if (binaries / "server").exists() and (binaries / "sql").exists():
        return binaries
    go = shutil.which("go")
    if go is None:
        raise CannotBuild("there is no Go toolchain on this machine")
    announce(f"building {MODULE} {version}; this takes some minutes, once")
    packages = [f"{MODULE}/cmd/{name}@v{version}" for name in ("server", "tools/sql")]
    done = subprocess.run(
        [go, "install", *packages],
        env=os.environ | {"GOBIN": str(binaries), "CGO_ENABLED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise CannotBuild(f"'go install' failed: {done.stderr.strip().splitlines()[-1] if done.stderr else 'no words'}")
    return binaries


def free_ports(names: Iterable[str], start: int = 17200) -> dict[str, int]:
    """A free port for each name, below 32768: the membership table keeps ports in a column that holds no larger ones."""
    free = (port for port in range(start, 32768) if port_is_free("127.0.0.1", port))
    return {name: next(free) for name in names}


class Cluster:
    """The roles of one cluster and their common environment, the one that docker-compose.yml gives the server's image."""

    def __init__(self, binaries: Path, folder: Path, postgres_port: int, announce: Callable[[str], None]) -> None:
        self._binaries, self._folder, self._announce = binaries, folder, announce
        self._postgres_port = postgres_port
        names = [f"{role}-{kind}" for role in ROLES for kind in ("grpc", "membership", "metrics")]
        self._ports = free_ports([*names, "frontend-http"])
        self.roles: dict[str, Child] = {}

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self._ports['frontend-grpc']}"

    def set_up_schema(self) -> None:
        """By the script that compose runs."""
        environment = os.environ | {
            "SQL_HOST": "127.0.0.1",
            "SQL_PORT": str(self._postgres_port),
            "SQL_USER": "postgres",
            "SQL_PASSWORD": "any",
            "SQL_TOOL": str(self._binaries / "sql"),
        }
        done = subprocess.run(["sh", str(SCHEMA)], env=environment, capture_output=True, text=True, check=False)
        if done.returncode:
            raise AssertionError(f"{SCHEMA.name} failed:\n{done.stdout}{done.stderr}")
        self._announce("Temporal's schema: " + "; ".join(done.stdout.split("\n")[-3:-1]))

    async def start(self) -> None:
        for role in ROLES:
            command = [str(self._binaries / "server"), "--allow-no-auth", "start", "--service", role]
            recipe = Recipe(f"temporal-{role}", command, environment=self._environment(role), grace=10)
            self.roles[role] = Child(recipe, self._folder / "logs", self._announce)
            await self.roles[role].start()

    async def stop(self) -> None:
        for child in reversed(self.roles.values()):
            await child.stop()

    def _environment(self, role: str) -> dict[str, str]:
        return dict(os.environ) | {
            "DB": "postgres12",
            "DB_PORT": str(self._postgres_port),
            "POSTGRES_SEEDS": "127.0.0.1",
            "POSTGRES_USER": "postgres",
            "POSTGRES_PWD": "any",
            "NUM_HISTORY_SHARDS": "4",
            "BIND_ON_IP": "127.0.0.1",
            "TEMPORAL_BROADCAST_ADDRESS": "127.0.0.1",
            "DYNAMIC_CONFIG_FILE_PATH": str(DYNAMIC_CONFIG),
            "LOG_LEVEL": "warn",
            "PROMETHEUS_ENDPOINT": f"127.0.0.1:{self._ports[f'{role}-metrics']}",
            "FRONTEND_HTTP_PORT": str(self._ports["frontend-http"]),
            **{f"{each.upper()}_GRPC_PORT": str(self._ports[f"{each}-grpc"]) for each in ROLES},
            **{f"{each.upper()}_MEMBERSHIP_PORT": str(self._ports[f"{each}-membership"]) for each in ROLES},
        }


def described(binaries: Path) -> str:
    """What a report says of the server."""
    said = subprocess.run([str(binaries / "server"), "--version"], capture_output=True, text=True, check=True).stdout
    return json.dumps(said.strip())

"""What a process that holds card numbers in memory owes them (contracts: tamara 5.2)."""

from __future__ import annotations

import contextlib


def without_core_dumps() -> None:
    """A crash leaves no copy of the memory behind. Systems without such limits have no core files either."""
    with contextlib.suppress(ImportError):
        import resource

        _, most = resource.getrlimit(resource.RLIMIT_CORE)
        resource.setrlimit(resource.RLIMIT_CORE, (0, most))

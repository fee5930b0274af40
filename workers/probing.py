"""`python -m workers.probing`: ask the process of this container whether it is ready; 0 when it is, else 1 and the reason.

A health check runs in each of a dozen containers every few seconds for years, so it imports nothing that takes long:
`bookings probe` does the same and loads the whole program first.
"""

from __future__ import annotations

import os
import sys
import urllib.error
import urllib.request

PATIENCE = 5.0


def readiness(host: str, port: int) -> tuple[bool, str]:
    """Whether the process there is ready, and what it said."""
    address = f"http://{'127.0.0.1' if host in ('0.0.0.0', '::') else host}:{port}/health/ready"  # noqa: S104
    straight = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with straight.open(address, timeout=PATIENCE) as answer:
            return True, answer.read().decode()
    except urllib.error.HTTPError as error:
        return False, error.read().decode()
    except OSError as error:
        return False, f"no answer at {address}: {type(error).__name__}"


def main() -> int:
    host, _, port = os.environ.get("BOOKINGS_PROBES", "").rpartition(":")
    if not host or not port.isdecimal():
        sys.stdout.write("BOOKINGS_PROBES names no HOST:PORT\n")
        return 1
    ready, said = readiness(host.strip("[]"), int(port))
    sys.stdout.write(f"{said}\n")
    return 0 if ready else 1


if __name__ == "__main__":
    sys.exit(main())

"""How every process that touches Temporal's SDK ends: flush, then leave without tearing the interpreter down.

The SDK's native threads may call into an interpreter that is being finalised; about one short process in ten then dies
with status 134 or 139 although its work is done (github.com/temporalio/sdk-python/issues/300). `os._exit` after a flush
keeps the exit status honest.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
import traceback
from collections.abc import Callable, Coroutine
from typing import Any, NoReturn

INTERRUPTED = 130
"""What a shell reports for a process ended by Ctrl-C."""


def leave(code: int) -> NoReturn:
    """End the process with `code` after everything printed and logged has left it."""
    logging.shutdown()
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):  # the reader went away or the stream is closed: nothing left to tell it
            code = code or 1
    os._exit(code)


def run(work: Callable[[], Coroutine[Any, Any, int | None] | int | None]) -> NoReturn:
    """Run `work` (a function, or a function that gives a coroutine) and leave with its code; None counts as 0."""
    try:
        result = work()
        code = asyncio.run(result) if isinstance(result, Coroutine) else result
    except SystemExit as asked:
        code = _code_of(asked)
    except KeyboardInterrupt:
        code = INTERRUPTED
    except BaseException:  # noqa: BLE001 a defect of ours: shown whole, and the process must still leave this way
        traceback.print_exc()
        code = 1
    leave(code or 0)


def _code_of(asked: SystemExit) -> int:
    if asked.code is None or isinstance(asked.code, int):
        return asked.code or 0
    print(asked.code, file=sys.stderr)
    return 1

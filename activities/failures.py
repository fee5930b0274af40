"""One place where adapter errors become Temporal failures, and thereby retries or parking (notes: temporal 1.5)."""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from temporalio import activity
from temporalio.exceptions import ApplicationError, ApplicationErrorCategory, FailureError

from activities.signatures import Verb
from domain.errors import BackOfficeError
from domain.naming import Queue

In = TypeVar("In", bound=BaseModel)
Out = TypeVar("Out", bound=BaseModel)
F = TypeVar("F", bound=Callable[..., Any])

DEFECT = "Defect"
"""Failure type of an error that no adapter foresaw: parked like a refusal, so that it is on a list and not in a loop."""


def as_failure(error: BackOfficeError) -> ApplicationError:
    """The Temporal failure of an adapter error: its class decides whether Temporal retries, its `retry_after` when."""
    return ApplicationError(
        str(error),
        {"system": error.system, "operation": error.operation, "code": error.code, "effect": error.effect},
        type=type(error).__name__,
        non_retryable=not error.automatic_retry,
        next_retry_delay=None if error.retry_after is None else timedelta(seconds=error.retry_after),
        category=ApplicationErrorCategory.BENIGN if error.automatic_retry else ApplicationErrorCategory.UNSPECIFIED,
    )


Cell = Callable[[Any, In], Out]
AsyncCell = Callable[[Any, In], Awaitable[Out]]


def implements(verb: Verb[In, Out]) -> Callable[[Cell[In, Out]], Cell[In, Out]]:
    """Declare a method as the implementation of a cell: registers its name and translates its errors."""

    def declare(method: Cell[In, Out]) -> Cell[In, Out]:
        @functools.wraps(method)
        def cell(self: Any, step: In) -> Out:
            with _translated(verb):
                return method(self, step)

        return _defined(verb, cell)

    return declare


def implements_async(verb: Verb[In, Out]) -> Callable[[AsyncCell[In, Out]], AsyncCell[In, Out]]:
    """`implements` for the few cells that talk to Temporal itself, whose client is asynchronous."""

    def declare(method: AsyncCell[In, Out]) -> AsyncCell[In, Out]:
        @functools.wraps(method)
        async def cell(self: Any, step: In) -> Out:
            with _translated(verb):
                return await method(self, step)

        return _defined(verb, cell)

    return declare


def _defined(verb: Verb[In, Out], cell: F) -> F:
    # The SDK reads the types of parameters by name, and would follow `__wrapped__` to other names.
    cell.__annotations__ = {"step": verb.takes, "return": verb.gives}
    del cell.__wrapped__  # type: ignore[attr-defined]
    return activity.defn(name=verb.name)(cell)


@contextmanager
def _translated(verb: Verb[In, Out]) -> Iterator[None]:
    try:
        yield
    except BackOfficeError as error:
        raise as_failure(error) from None
    except FailureError:
        raise
    except (OperationalError, InterfaceError, PoolTimeout) as error:
        raise ApplicationError(f"store: {type(error).__name__}", type="Transient") from None
    except Exception as error:  # noqa: BLE001 whatever an adapter did not foresee must end up on the list
        activity.logger.exception("defect in %s", verb.name, exc_info=_without_values(error))
        # The desk itself keeps trying: a lifecycle that cannot park must not end without a trace.
        raise ApplicationError(_words(error), type=DEFECT, non_retryable=verb.queue != Queue.OFFICE) from None


def _words(error: Exception) -> str:
    """What may be said of an unforeseen error: validation errors name paths and rules, never values."""
    if isinstance(error, ValidationError):
        found = "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['type']}" for e in error.errors(include_input=False)[:5])
        return f"{error.title}: {found}"
    return type(error).__name__


def _without_values(error: Exception) -> Exception:
    """A validation error prints the values it refused, which may be a person's data; everything else may be logged."""
    return (
        ValueError(_words(error)).with_traceback(error.__traceback__) if isinstance(error, ValidationError) else error
    )

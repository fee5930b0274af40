"""The connection to Temporal, and the search attributes that must exist before the first workflow (DESIGN section 4)."""

from __future__ import annotations

from datetime import timedelta

from temporalio.api.enums.v1 import IndexedValueType
from temporalio.api.operatorservice.v1 import AddSearchAttributesRequest, ListSearchAttributesRequest
from temporalio.client import Client
from temporalio.service import RPCError, RPCStatusCode

from domain.naming import SEARCH_ATTRIBUTES
from workers.connection import connect

__all__ = ["connect", "ensure_search_attributes", "missing_search_attributes"]

_TYPES: dict[str, IndexedValueType.ValueType] = {
    "Keyword": IndexedValueType.INDEXED_VALUE_TYPE_KEYWORD,
    "Int": IndexedValueType.INDEXED_VALUE_TYPE_INT,
    "Datetime": IndexedValueType.INDEXED_VALUE_TYPE_DATETIME,
}


async def missing_search_attributes(client: Client) -> dict[str, str]:
    """The search attributes that the namespace lacks, name → type."""
    answer = await client.operator_service.list_search_attributes(
        ListSearchAttributesRequest(namespace=client.namespace), timeout=timedelta(seconds=10)
    )
    return {name: kind for name, kind in SEARCH_ATTRIBUTES.items() if name not in answer.custom_attributes}


async def ensure_search_attributes(client: Client) -> tuple[str, ...]:
    """Add what is missing and name it; an attribute that another process adds meanwhile is no error."""
    missing = await missing_search_attributes(client)
    if not missing:
        return ()
    request = AddSearchAttributesRequest(
        namespace=client.namespace, search_attributes={name: _TYPES[kind] for name, kind in missing.items()}
    )
    try:
        await client.operator_service.add_search_attributes(request, timeout=timedelta(seconds=30))
    except RPCError as error:
        if error.status is not RPCStatusCode.ALREADY_EXISTS:
            raise
    return tuple(missing)

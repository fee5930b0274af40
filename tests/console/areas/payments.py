"""Payments that the ERP has refused."""

from store import Store
from tests.desk.payments_at_work import ErpAndTemporal

EXAMPLES = {"/payments/{agency}/{payment}": "/payments/demo/pay_1"}


def seed(store: Store, times: int) -> None:
    from tests.console.conftest import Clock

    erp = ErpAndTemporal(store, Clock())
    for number in range(1, times + 1):
        erp.refused(f"pay_{number}")

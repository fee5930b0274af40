"""MIDOCO: SOAP 1.1, orders by creditor and booking id (contracts: midoffice 4)."""

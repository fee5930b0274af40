"""MIDOCO as it looks from outside: SOAP 1.1, orders by supplier and booking id (contracts: midoffice 4)."""

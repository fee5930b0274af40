"""TINA as it looks from outside: SOAP, pairs of RQ and RS (contracts: midoffice 5)."""

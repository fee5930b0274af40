"""TINA of dcs plus: SOAP with request and answer pairs in the vendor's style (contracts: midoffice 5)."""

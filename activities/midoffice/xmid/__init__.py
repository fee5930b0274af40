"""xMid (TraSo): one HTTPS resource per booking, JSON under German names (contracts: midoffice 7)."""

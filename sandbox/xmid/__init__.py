"""A strict stand-in for xMid: one HTTPS resource per booking, JSON under German names (contracts: midoffice 7)."""

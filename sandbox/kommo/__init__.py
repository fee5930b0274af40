"""Stand-in of Kommo, a CRM (contracts: kommo 6)."""

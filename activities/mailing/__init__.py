"""Letters to customers through the agency's own mail server (contracts: kommo 5; RFC 5321, 5322)."""

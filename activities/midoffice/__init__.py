"""Mid-office systems: one canonical record for all, one adapter each; hotel lines only today (contracts: midoffice 1, 3)."""

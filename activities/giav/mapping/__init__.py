"""Domain ↔ GIAV's wire records, pure: every value is JSON-ready, money is text with two decimals (contracts: giav 2)."""

"""The booking platform and its payment processor: reading the truth back, charging instalments (contracts: platform-events 7)."""

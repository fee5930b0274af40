"""The webhook receiver (contracts: platform-events 3)."""

"""The booking platform and its payment processor, as a stand-in (contracts: platform-events)."""

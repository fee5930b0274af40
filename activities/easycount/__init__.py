"""EasyCount: invoicing documents and payment pages (contracts: easycount)."""

"""EasyCount's stand-in: documents, payment pages, loose answers (contracts: easycount 6)."""

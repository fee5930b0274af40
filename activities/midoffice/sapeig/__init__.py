"""Sapeig: XFT documents inside SOAP (contracts: midoffice 6)."""

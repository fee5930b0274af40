"""Sapeig as it looks from outside: XFT transactions as text in SOAP (contracts: midoffice 6)."""

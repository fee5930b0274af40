"""Accounting inside the house: the journal, written from facts and documents (contracts: money-rules 2)."""

"""Kommo: deals of a CRM, read when they are to be invoiced and told how their invoice stands (contracts: kommo)."""

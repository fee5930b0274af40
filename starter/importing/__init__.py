"""Bookings of another system, read from CSV by a declarative mapping, as platform events (docs/import.md)."""

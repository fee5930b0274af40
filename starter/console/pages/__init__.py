"""One module per area; each has an `AREA` that the application collects (docs/console.md)."""

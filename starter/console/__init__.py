"""The console: what people see and decide in a browser (DESIGN 7, docs/console.md)."""

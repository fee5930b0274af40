"""The HTTP API of operators, version 1: what people do at the desk, for programs (docs/api.md)."""

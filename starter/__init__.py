"""The ways in: gateway, command line, supervisor of the embedded installation, demo, import."""

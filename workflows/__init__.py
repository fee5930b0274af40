"""What happens, in which order, with which way back. Deterministic; one file per lifecycle."""

"""The processes that execute workflows and activities; wiring and nothing else."""

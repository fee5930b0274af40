"""What happens when something breaks: every fault at every external call of every lifecycle, and chaos (docs/reliability.md)."""

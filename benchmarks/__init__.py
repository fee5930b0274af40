"""What is fast and what it costs, each measured beside its own floor in the same run; the ratio is the figure."""

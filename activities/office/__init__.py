"""Our own desk: parked items, the read model's answers, and the Schedules of payment plans."""

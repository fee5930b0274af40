"""What people see and may do, once for command line, HTTP API and console (DESIGN 7, contracts: payment-sync 8)."""

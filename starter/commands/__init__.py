"""One file for each group of commands; every function reads options, calls one thing and prints its answer."""

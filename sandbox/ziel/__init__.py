"""A strict stand-in for Z.I.E.L.: CSV files by SFTP, answered by acknowledgement files (contracts: midoffice 8)."""

"""Z.I.E.L.: one CSV file per message over SFTP, answered later by an acknowledgement file (contracts: midoffice 8)."""

"""AirPlus as it looks from outside: an SFTP drop box and a receiver that checks every file (contracts: tamara 3, 4)."""

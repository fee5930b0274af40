"""AirPlus TAMARA: numbered invoices as lines of a nightly file, delivered by SFTP (contracts: tamara)."""

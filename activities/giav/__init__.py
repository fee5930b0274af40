"""GIAV, the agency's ERP: expedientes, reservas with nested costs, cobros and invoices over SOAP (contracts: giav)."""

"""The GIAV stand-in: the agency's ERP behind its SOAP 1.1 wire (contracts: giav)."""

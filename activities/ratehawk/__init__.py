"""RateHawk, the hotel supplier: orders read, compared and cancelled through ETG's B2B API v3 (contracts: midoffice 2)."""

"""RateHawk's stand-in: ETG's B2B API v3 as far as a back office and its tests need it (contracts: midoffice 2)."""

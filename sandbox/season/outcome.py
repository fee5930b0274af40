"""How every booking of the season must stand at the end, in cents: what to compare all systems with."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Outcome:
    """Final status and money of one booking; `due` = total − captured + refunded."""

    status: str
    total: int
    captured: int
    refunded: int = 0
    penalty: int = 0

    @property
    def due(self) -> int:
        return self.total - self.captured + self.refunded


OUTCOME: dict[str, Outcome] = {
    "bkg_7101": Outcome("confirmed", 15_211_40, 5_000_00),
    "bkg_7102": Outcome("confirmed", 967_00, 967_00),
    "bkg_7201": Outcome("confirmed", 939_00, 939_00),
    "bkg_7202": Outcome("confirmed", 989_00, 989_00),
    "bkg_7203": Outcome("confirmed", 494_50, 494_50),
    "bkg_7204": Outcome("confirmed", 1_363_50, 1_483_50, refunded=120_00),
    "bkg_7205": Outcome("confirmed", 871_00, 989_00, refunded=118_00),
    "bkg_7206": Outcome("confirmed", 1_061_00, 1_061_00),
    "bkg_7207": Outcome("cancelled", 0, 0),
    "bkg_7208": Outcome("cancelled", 0, 989_00, refunded=989_00),
    "bkg_7209": Outcome("cancelled", 173_08, 494_50, refunded=321_42, penalty=173_08),
    "bkg_7210": Outcome("confirmed", 1_978_00, 1_978_00),
    "bkg_7211": Outcome("confirmed", 1_021_00, 1_021_00),
    "bkg_7212": Outcome("confirmed", 435_50, 435_50),
    "bkg_7213": Outcome("confirmed", 1_892_00, 1_892_00),
    "bkg_7214": Outcome("confirmed", 989_00, 989_00),
}

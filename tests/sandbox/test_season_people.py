"""The season's people: tax ids with right check characters."""

from __future__ import annotations

import pytest

from sandbox.season import people
from sandbox.season.people import Person, cif, nif

PERSONS = [value for value in vars(people).values() if isinstance(value, Person)]


@pytest.mark.parametrize(("number", "expected"), [(0, "00000000T"), (12345678, "12345678Z"), (99999999, "99999999R")])
def test_the_letter_belongs_to_the_number(number: int, expected: str) -> None:
    assert nif(number) == expected


@pytest.mark.parametrize(("number", "expected"), [(5881850, "A58818501"), (9999020, "A99990202")])
def test_the_check_digit_belongs_to_the_company(number: int, expected: str) -> None:
    assert cif("A", number) == expected


def test_nobody_shares_an_identity() -> None:
    parties = [person.party for person in PERSONS] + [people.MERIDIAN, people.ORTUNO]
    for values in ([party["id"] for party in parties], [party["tax_id"]["value"] for party in parties]):
        assert len(set(values)) == len(parties) == 18

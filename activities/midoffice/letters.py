"""What a person has to write while a mid-office is connected with RateHawk: to the account manager and to the mid-office's
vendor (the three steps that RateHawk asks for; contracts: midoffice 1.1). Nothing here is sent by us.
"""

from __future__ import annotations


def asking_for_the_key(agency: str, system: str) -> str:
    """First: to the RateHawk account manager."""
    return (
        f"Dear account manager, {agency} wants its RateHawk bookings in its mid-office {system}. Please send us the mid-office"
        " integration key of our contract and its documentation. Thank you."
    )


def asking_for_access(agency: str, system: str) -> str:
    """Second: to the vendor of the mid-office, with the key and the documentation that came."""
    return (
        f"Dear {system} team, {agency} wants its RateHawk hotel bookings transferred into your system automatically."
        " The integration key and its documentation come with this letter. Please give us an address and a technical user"
        " for the transfer, and tell us what else your side needs. Thank you."
    )


def telling_it_works(agency: str, system: str) -> str:
    """Third: to the RateHawk account manager again."""
    return (
        f"Dear account manager, the connection of RateHawk with our mid-office {system} at {agency} is set up, and our access"
        " was checked. Hotel bookings are transferred automatically from now on. Please note it on your side, and tell us"
        " if anything is still open. Thank you."
    )

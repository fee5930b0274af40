"""An SFTP server is known before anything secret is said, and a login is not tried until it is locked (tamara 4.2, 4.4)."""

from __future__ import annotations

import asyncssh
import pytest

from domain.errors import Unauthorised
from sandbox.airplus.running import running_sftp
from sandbox.airplus.sftp import Account
from sandbox.airplus.stand_in import AirplusStandIn
from tests.activities.tamara.night import NO_HOST, DropBoxSite, settings_of
from tests.activities.tamara.sender import NAME, Sender


def test_a_wrong_host_key_ends_before_any_password_is_said(airplus: DropBoxSite) -> None:
    settings = settings_of(airplus.settings.sftp.port, NO_HOST)
    with pytest.raises(Unauthorised, match=r"host key SHA256:.* not pinned") as error:
        Sender(settings).deliver()
    assert error.value.code == "HOST_KEY_MISMATCH"
    assert "stat" not in airplus.operations()


def test_one_of_two_pins_is_enough_while_keys_rotate(airplus: DropBoxSite) -> None:
    pins = [NO_HOST, airplus.settings.sftp.host_keys[0]]
    settings = settings_of(airplus.settings.sftp.port, sftp={"host_keys": pins})
    assert Sender(settings).deliver() == NAME


def test_a_changed_host_key_is_never_learned(airplus: DropBoxSite) -> None:
    airplus.stand_in.change_host_key()
    with pytest.raises(Unauthorised):
        Sender(airplus.settings).deliver()


def test_a_wrong_password_is_tried_once(airplus: DropBoxSite) -> None:
    pinned = airplus.settings.sftp
    settings = settings_of(pinned.port, pinned.host_keys[0], sftp={"password": "wrong-horse"})
    with pytest.raises(Unauthorised, match="login") as error:
        Sender(settings).deliver()
    assert error.value.code == "LOGIN"
    assert "wrong-horse" not in str(error.value)
    assert airplus.operations().count("connect") == 1


def test_a_key_opens_the_door_without_a_password() -> None:
    key = asyncssh.generate_private_key("ssh-ed25519")
    account = Account("agency", public_keys=(key.export_public_key().decode(),))
    stand_in = AirplusStandIn(accounts=(account,))
    with running_sftp(stand_in) as reach:
        secret = key.export_private_key().decode()
        settings = settings_of(reach.port, reach.fingerprint, sftp={"password": None, "private_key": secret})
        assert Sender(settings).deliver() == NAME
    stand_in.close()

import pytest
from sqlalchemy import text

from domain.errors import Unauthorised
from store import Store

OLD, NEW = b"o" * 32, b"n" * 32
SECRET = "clave-secreta-ñ"


def test_a_sealed_secret_opens_and_is_nowhere_in_clear(store: Store) -> None:
    store.vault.seal("sol", "giav.api_key", SECRET)
    assert store.vault.open("sol", "giav.api_key") == SECRET
    with store.database.read() as connection:
        (sealed,) = connection.scalars(text("SELECT sealed FROM sealed_secrets"))
    assert SECRET.encode() not in bytes(sealed)
    assert SECRET not in repr(store.vault)


def test_sealing_again_replaces_and_forgetting_removes(store: Store) -> None:
    store.vault.seal("sol", "a", "one")
    store.vault.seal("sol", "a", "two")
    store.vault.seal("sol", "b", "three")
    assert store.vault.open("sol", "a") == "two"
    assert store.vault.names("sol") == ["a", "b"]
    store.vault.forget("sol", "a")
    assert store.vault.names("sol") == ["b"]


def test_without_a_master_key_the_vault_says_what_to_do(store_url: str) -> None:
    store = Store.open(store_url)
    for call in (lambda: store.vault.seal("sol", "a", "x"), lambda: store.vault.open("sol", "a"), store.vault.reseal):
        with pytest.raises(Unauthorised, match="master key"):
            call()
    assert store.vault.names("sol") == []
    store.close()


def test_a_secret_copied_to_another_name_does_not_open(store: Store) -> None:
    store.vault.seal("sol", "a", SECRET)
    with store.database.begin() as connection:
        connection.execute(text("UPDATE sealed_secrets SET agency = 'luna'"))
    with pytest.raises(Unauthorised, match="altered"):
        store.vault.open("luna", "a")


def test_a_missing_secret_is_unauthorised(store: Store) -> None:
    with pytest.raises(Unauthorised, match="no secret"):
        store.vault.open("sol", "never")


def test_a_new_master_key_takes_over_while_the_old_one_still_opens(store_url: str) -> None:
    before = Store.open(store_url, master_key=OLD)
    before.vault.seal("sol", "a", SECRET)
    before.close()
    without = Store.open(store_url, master_key=NEW)
    with pytest.raises(Unauthorised):
        without.vault.open("sol", "a")
    without.close()
    both = Store.open(store_url, master_key=NEW, retired_keys=(OLD,))
    assert both.vault.open("sol", "a") == SECRET
    assert both.vault.reseal() == 1
    assert both.vault.reseal() == 0
    both.close()
    after = Store.open(store_url, master_key=NEW)
    assert after.vault.open("sol", "a") == SECRET
    after.close()


def test_a_master_key_of_the_wrong_length_is_refused_at_once(store_url: str) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Store.open(store_url, master_key=b"short")


def test_resealing_may_be_broken_off_and_begun_again(store_url: str) -> None:
    before = Store.open(store_url, master_key=OLD)
    for number in range(7):
        before.vault.seal("sol", f"card/{number}", SECRET)
    before.close()
    both = Store.open(store_url, master_key=NEW, retired_keys=(OLD,))
    assert next(both.vault.resealing(at_once=3)) == 3
    both.vault.seal("sol", "card/6", "changed meanwhile")
    assert list(both.vault.resealing(at_once=2)) == [2, 1]
    assert both.vault.held_by_key() == {both.vault.master_key_id: 7}
    both.close()
    after = Store.open(store_url, master_key=NEW)
    assert [after.vault.open("sol", f"card/{number}") for number in range(7)] == [*[SECRET] * 6, "changed meanwhile"]
    after.close()


def test_a_secret_under_a_lost_key_stops_the_resealing_and_is_named(store_url: str) -> None:
    before = Store.open(store_url, master_key=OLD)
    before.vault.seal("sol", "card/1", SECRET)
    before.close()
    without = Store.open(store_url, master_key=NEW)
    with pytest.raises(Unauthorised, match="card/1 of sol was sealed with key"):
        without.vault.reseal()
    without.close()


def test_a_secret_that_is_sealed_once_stays_as_it_was_first(store: Store) -> None:
    store.vault.seal_once("sol", "key", "first")
    store.vault.seal_once("sol", "key", "second")
    assert store.vault.open("sol", "key") == "first"

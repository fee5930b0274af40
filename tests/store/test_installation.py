"""The settings file: texts that stand in other files or in the environment, and TLS, with plain refusals."""

from __future__ import annotations

from pathlib import Path

import pytest

from store.installation import SettingsError, load_installation

AGENCY = '[agencies.one]\nname = "Viajes"\n[agencies.one.platform]\nsource = "//platform.example/one"\n'


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text + AGENCY)
    return path


def test_a_secret_may_stand_in_a_file_beside_the_settings_or_in_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "secrets").mkdir()
    (tmp_path / "secrets" / "key").write_text("one line\n")
    monkeypatch.setenv("STORE_ADDRESS", "sqlite:///elsewhere.db")
    path = written(tmp_path, '[store]\nurl = { env = "STORE_ADDRESS" }\nmaster_key = { file = "secrets/key" }\n')
    store = load_installation(path).store
    assert store.url is not None
    assert store.master_key is not None
    assert store.url.get_secret_value() == "sqlite:///elsewhere.db"
    assert store.master_key.get_secret_value() == "one line"


def test_secrets_in_lists_are_fetched_too(tmp_path: Path) -> None:
    (tmp_path / "hook").write_text("whsec_c2VjcmV0")
    path = written(tmp_path, "")
    path.write_text(path.read_text() + 'webhook_secrets = [{ value = { file = "hook" } }]\n')
    (secret,) = load_installation(path).agencies["one"].platform.webhook_secrets
    assert secret.value.get_secret_value() == "whsec_c2VjcmV0"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('[store]\nmaster_key = { file = "gone" }\n', "store.master_key: the file gone cannot be read"),
        (
            '[store]\nmaster_key = { env = "NOT_SET" }\n',
            "store.master_key: the environment variable NOT_SET is not set",
        ),
        ('[temporal]\naddress = "t:7233"\ntls = { ca = "gone.pem" }\n', "temporal.tls.ca: the file"),
        ('[temporal]\ntls = { certificate = "a.pem" }\n', "certificate and key belong together"),
        ('[temporal]\napi_key = "abc"\n', "api_key is sent over TLS only"),
    ],
)
def test_what_is_missing_is_said_with_its_path(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(SettingsError, match=words):
        load_installation(written(tmp_path, text))


def test_a_proxy_is_named_by_its_address_or_network(tmp_path: Path) -> None:
    path = written(tmp_path, '[gateway]\ntrusted_proxies = ["10.0.0.0/8", "192.168.1.7"]\n')
    assert load_installation(path).gateway.trusted_proxies == ("10.0.0.0/8", "192.168.1.7")
    with pytest.raises(SettingsError, match="'proxy' is not an address"):
        load_installation(written(tmp_path, '[gateway]\ntrusted_proxies = ["proxy"]\n'))

#!/bin/sh
# Invent the secrets that nobody else gives; what is there already stays.
set -eu
cd "$(dirname "$0")"
# The folder keeps strangers out. The files themselves are read inside containers, by users that do not exist on this host.
chmod 700 .
umask 022
keep() {
    [ -s "$1" ] || printf '%s' "$2" >"$1"
    chmod 644 "$1"
}
keep postgres_password "$(openssl rand -hex 24)"
keep store_url "postgresql+psycopg://postgres:$(cat postgres_password)@postgres/bookings"
keep master_key "$(openssl rand -base64 32)"
keep grafana_password "$(openssl rand -hex 12)"
keep giav_key "$(openssl rand -hex 16)"
keep platform_token "$(openssl rand -hex 24)"
keep platform_secret "whsec_$(openssl rand -base64 32)"

#!/bin/sh
# Create Temporal's two databases, or bring their schemas to this version; may be run again at any time.
# Wants SQL_HOST, SQL_PORT, SQL_USER and SQL_PASSWORD (or SQL_PASSWORD_FILE); SQL_TOOL names another temporal-sql-tool.
set -eu
if [ -n "${SQL_PASSWORD_FILE:-}" ]; then
    SQL_PASSWORD=$(cat "$SQL_PASSWORD_FILE")
    export SQL_PASSWORD
fi

sql() {
    database=$1
    shift
    "${SQL_TOOL:-temporal-sql-tool}" --plugin postgres12 --endpoint "$SQL_HOST" --port "$SQL_PORT" --user "$SQL_USER" \
        --database "$database" "$@"
}

bring_up() {
    database=$1 schema=$2
    if ! sql "$database" update-schema --schema-name "postgresql/v12/$schema" 2>/dev/null; then
        sql "$database" create
        sql "$database" setup-schema --version 0.0
        sql "$database" update-schema --schema-name "postgresql/v12/$schema"
    fi
    echo "$database: schema ready"
}

bring_up temporal temporal
bring_up temporal_visibility visibility

#!/bin/sh
# Run once by the PostgreSQL image for an empty volume: creates the working role, which owns nothing.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$VOXLOOP_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE voxloop LOGIN PASSWORD :'password';
SQL

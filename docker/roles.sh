#!/bin/sh
# Run once by the image of PostgreSQL, when its volume is empty: the role that the processes work with. It owns nothing.
set -eu
psql -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" -v password="$VOXLOOP_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE voxloop LOGIN PASSWORD :'password';
SQL

from django.db import migrations

# The working role has no right to change or delete a chunk (docs/adr/0022). What may happen to one happens inside these
# functions, which run as the owner of the tables; the mark of a transaction opens nothing to another role.
FORWARD = """
CREATE FUNCTION voxloop_refuse_unless_keeping() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF current_user = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = TG_RELID)) THEN
        IF TG_OP = 'UPDATE' AND current_setting('voxloop.keeping', true) = 'mend' AND NEW.sha256 = OLD.sha256 THEN
            RETURN NEW;
        END IF;
        IF TG_OP = 'DELETE' AND current_setting('voxloop.keeping', true) = 'collect' THEN
            RETURN OLD;
        END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER masks_maskchunk_append_only ON masks_maskchunk;
CREATE TRIGGER masks_maskchunk_append_only BEFORE UPDATE OR DELETE ON masks_maskchunk
    FOR EACH ROW EXECUTE FUNCTION voxloop_refuse_unless_keeping();
DROP FUNCTION voxloop_guard_chunks();

-- The stored bytes of chunks, which nobody can collect until the transaction ends. In the order of their names, so that
-- two transactions never wait for each other.
CREATE FUNCTION voxloop_hold_chunks(names bytea[]) RETURNS TABLE (sha256 bytea, data bytea)
    LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp AS $$
    SELECT chunk.sha256, chunk.data FROM masks_maskchunk AS chunk WHERE chunk.sha256 = ANY(names)
    ORDER BY chunk.sha256 FOR NO KEY UPDATE
$$;

-- Good bytes in the place of a damaged or missing chunk's. Whether they are what the name says is seen at every read.
CREATE FUNCTION voxloop_mend_chunk(name bytea, good bytea, voxels jsonb) RETURNS void
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
    PERFORM set_config('voxloop.keeping', 'mend', true);
    INSERT INTO masks_maskchunk (sha256, data, counts) VALUES (name, good, voxels)
        ON CONFLICT (sha256) DO UPDATE SET data = excluded.data, counts = excluded.counts;
    PERFORM set_config('voxloop.keeping', '', true);
END $$;

-- Deletes chunks; refused when a revision names one of them (migration 0005).
CREATE FUNCTION voxloop_collect_chunks(names bytea[]) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE removed integer;
BEGIN
    PERFORM set_config('voxloop.keeping', 'collect', true);
    DELETE FROM masks_maskchunk WHERE sha256 = ANY(names);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('voxloop.keeping', '', true);
    RETURN removed;
END $$;
"""
BACKWARD = """
DROP FUNCTION voxloop_collect_chunks(bytea[]);
DROP FUNCTION voxloop_mend_chunk(bytea, bytea, jsonb);
DROP FUNCTION voxloop_hold_chunks(bytea[]);
CREATE FUNCTION voxloop_guard_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF TG_OP = 'UPDATE' AND current_setting('voxloop.keeping', true) = 'mend' AND NEW.sha256 = OLD.sha256 THEN
        RETURN NEW;
    END IF;
    IF TG_OP = 'DELETE' AND current_setting('voxloop.keeping', true) = 'collect' THEN
        RETURN OLD;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;
DROP TRIGGER masks_maskchunk_append_only ON masks_maskchunk;
CREATE TRIGGER masks_maskchunk_append_only BEFORE UPDATE OR DELETE ON masks_maskchunk
    FOR EACH ROW EXECUTE FUNCTION voxloop_guard_chunks();
DROP FUNCTION voxloop_refuse_unless_keeping();
"""


class Migration(migrations.Migration):
    """Chunks are mended and collected by functions of the tables' owner, and by nobody else."""

    dependencies = [("masks", "0006_one_door_for_erasure")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

from django.db import migrations

TABLES = ["masks_maskrevision", "masks_answerset"]  # unnamed chunks may be collected already (0005)

FORWARD = """
-- Append-only as before, but for the transaction that erases: it runs as the owner of the tables, inside the function
-- below. The mark alone opens nothing to another role.
CREATE FUNCTION voxloop_is_erasing(relation oid) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT current_setting('voxloop.erasing', true) = pg_current_xact_id()::text
        AND current_user = pg_get_userbyid((SELECT relowner FROM pg_class WHERE oid = relation))
$$;
CREATE FUNCTION voxloop_refuse_unless_erasing() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF voxloop_is_erasing(TG_RELID) THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
    END IF;
    RAISE EXCEPTION '% is append-only: % refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END $$;

-- The one door (docs/adr/0021). It opens for a scan that is erased already and whose erasure is in the audit log, in the
-- same transaction or before; it empties revisions and answers, and deletes the chunks that no other scan uses.
CREATE FUNCTION voxloop_erase_masks(target uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
    removed integer;
    mine text[];
BEGIN
    IF NOT EXISTS (SELECT 1 FROM scans_scan WHERE id = target AND state = 'erased')
        OR NOT EXISTS (SELECT 1 FROM audit_auditentry
                       WHERE action = 'scan.erased' AND object_type = 'scans.scan' AND object_id = target::text) THEN
        RAISE EXCEPTION 'scan % is not erased: its masks stay', target USING ERRCODE = 'restrict_violation';
    END IF;
    -- Nobody may count on a chunk that is about to go.
    LOCK TABLE masks_maskchunk IN ACCESS EXCLUSIVE MODE;
    SELECT array_agg(name) INTO mine FROM (
        SELECT part.value AS name FROM masks_maskrevision, jsonb_each_text(chunks) AS part WHERE scan_id = target
        EXCEPT
        SELECT part.value FROM masks_maskrevision, jsonb_each_text(chunks) AS part WHERE scan_id <> target
    ) AS only_here;
    PERFORM set_config('voxloop.erasing', pg_current_xact_id()::text, true);
    UPDATE masks_maskrevision SET chunks = '{}', strokes = '[]', voxel_counts = '{}' WHERE scan_id = target;
    UPDATE masks_answerset SET values = '{}' WHERE assignment_id IN
        (SELECT id FROM work_assignment WHERE scan_id = target);
    PERFORM set_config('voxloop.erasing', '', true);
    PERFORM set_config('voxloop.keeping', 'collect', true);
    DELETE FROM masks_maskchunk WHERE sha256 IN (SELECT decode(name, 'hex') FROM unnest(mine) AS name);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('voxloop.keeping', '', true);
    RETURN removed;
END $$;
"""
BACKWARD = """
DROP FUNCTION voxloop_erase_masks(uuid);
DROP FUNCTION voxloop_refuse_unless_erasing();
DROP FUNCTION voxloop_is_erasing(oid);
"""


def trigger(table: str, function: str) -> str:
    return (
        f"DROP TRIGGER {table}_append_only ON {table};"
        f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
        f"FOR EACH ROW EXECUTE FUNCTION {function}();"
    )


class Migration(migrations.Migration):
    """What a patient's erasure takes out of the append-only tables, and nothing else does."""

    dependencies = [
        ("masks", "0005_chunks_mended_and_collected"),
        ("scans", "0003_erased"),
        ("audit", "0002_append_only"),
        ("work", "0003_campaign_pseudonym_key"),
    ]
    operations = [
        migrations.RunSQL(FORWARD, BACKWARD),
        *(
            migrations.RunSQL(trigger(table, "voxloop_refuse_unless_erasing"), trigger(table, "voxloop_refuse_change"))
            for table in TABLES
        ),
    ]

from django.db import migrations, models


def door(emptied: str) -> str:
    """The door of migration 0006, with these columns of a revision emptied."""
    return f"""
CREATE OR REPLACE FUNCTION voxloop_erase_masks(target uuid) RETURNS integer
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
    UPDATE masks_maskrevision SET {emptied} WHERE scan_id = target;
    UPDATE masks_answerset SET values = '{{}}' WHERE assignment_id IN
        (SELECT id FROM work_assignment WHERE scan_id = target);
    PERFORM set_config('voxloop.erasing', '', true);
    PERFORM set_config('voxloop.keeping', 'collect', true);
    DELETE FROM masks_maskchunk WHERE sha256 IN (SELECT decode(name, 'hex') FROM unnest(mine) AS name);
    GET DIAGNOSTICS removed = ROW_COUNT;
    PERFORM set_config('voxloop.keeping', '', true);
    RETURN removed;
END $$;
"""  # noqa: S608 - of constants


class Migration(migrations.Migration):
    """Which proposed lesions a reader has accepted stands with the mask; erasing a scan empties that too."""

    dependencies = [("masks", "0007_doors_of_the_owner")]
    operations = [
        migrations.AddField("maskrevision", "accepted", models.JSONField(default=list)),
        migrations.RunSQL(
            door("chunks = '{}', strokes = '[]', voxel_counts = '{}', accepted = '[]'"),
            door("chunks = '{}', strokes = '[]', voxel_counts = '{}'"),
        ),
    ]

from django.db import migrations

# A chunk's bytes may be put right, and a chunk that no revision names may go; nothing else. Which of both a
# transaction is about, it must say (`SET LOCAL voxloop.keeping`), so that no stray statement does it by accident.
FORWARD = """
DROP TRIGGER masks_maskchunk_append_only ON masks_maskchunk;
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
CREATE FUNCTION voxloop_guard_named_chunks() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF EXISTS (
        SELECT 1 FROM masks_maskrevision AS revision, jsonb_each_text(revision.chunks) AS part
        WHERE part.value IN (SELECT encode(sha256, 'hex') FROM gone)
    ) THEN
        RAISE EXCEPTION 'a revision names this chunk: DELETE refused' USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NULL;
END $$;
CREATE TRIGGER masks_maskchunk_append_only BEFORE UPDATE OR DELETE ON masks_maskchunk
    FOR EACH ROW EXECUTE FUNCTION voxloop_guard_chunks();
CREATE TRIGGER masks_maskchunk_named_stay AFTER DELETE ON masks_maskchunk
    REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION voxloop_guard_named_chunks();
"""
BACKWARD = """
DROP TRIGGER masks_maskchunk_named_stay ON masks_maskchunk;
DROP TRIGGER masks_maskchunk_append_only ON masks_maskchunk;
DROP FUNCTION voxloop_guard_named_chunks();
DROP FUNCTION voxloop_guard_chunks();
CREATE TRIGGER masks_maskchunk_append_only BEFORE UPDATE OR DELETE ON masks_maskchunk
    FOR EACH ROW EXECUTE FUNCTION voxloop_refuse_change();
"""


class Migration(migrations.Migration):
    """Chunks are appended; damaged ones are mended, and those that no revision names are collected."""

    dependencies = [("masks", "0004_counts_beside_chunks")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

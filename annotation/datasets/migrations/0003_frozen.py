from django.db import migrations

FORWARD = """
CREATE FUNCTION voxloop_keep_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR
       (NEW.id, NEW.campaign_id, NEW.name, NEW.notes, NEW.licence, NEW.filters, NEW.manifest, NEW.manifest_hash,
        NEW.created_at, NEW.frozen_at)
       IS DISTINCT FROM
       (OLD.id, OLD.campaign_id, OLD.name, OLD.notes, OLD.licence, OLD.filters, OLD.manifest, OLD.manifest_hash,
        OLD.created_at, OLD.frozen_at)
    THEN
        RAISE EXCEPTION 'release % is frozen: % refused', OLD.name, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER release_frozen BEFORE UPDATE OR DELETE ON datasets_release
    FOR EACH ROW EXECUTE FUNCTION voxloop_keep_release();

CREATE FUNCTION voxloop_keep_release_item() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE owner_state text;
BEGIN
    FOR owner_state IN
        SELECT state FROM datasets_release
        WHERE (TG_OP <> 'INSERT' AND id = OLD.release_id) OR (TG_OP <> 'DELETE' AND id = NEW.release_id)
        FOR SHARE
    LOOP
        IF owner_state <> 'draft' THEN
            RAISE EXCEPTION 'the release is frozen: % of an item refused', TG_OP USING ERRCODE = 'restrict_violation';
        END IF;
    END LOOP;
    IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
END $$;
CREATE TRIGGER release_item_frozen BEFORE INSERT OR UPDATE OR DELETE ON datasets_releaseitem
    FOR EACH ROW EXECUTE FUNCTION voxloop_keep_release_item();

CREATE TRIGGER release_never_emptied BEFORE TRUNCATE ON datasets_release
    FOR EACH STATEMENT EXECUTE FUNCTION voxloop_refuse_change();
CREATE TRIGGER release_item_never_emptied BEFORE TRUNCATE ON datasets_releaseitem
    FOR EACH STATEMENT EXECUTE FUNCTION voxloop_refuse_change();
"""
BACKWARD = """
DROP TRIGGER release_item_never_emptied ON datasets_releaseitem;
DROP TRIGGER release_never_emptied ON datasets_release;
DROP TRIGGER release_item_frozen ON datasets_releaseitem;
DROP TRIGGER release_frozen ON datasets_release;
DROP FUNCTION voxloop_keep_release_item();
DROP FUNCTION voxloop_keep_release();
"""


class Migration(migrations.Migration):
    """A frozen release can never change: its list, its manifest and what it was chosen by."""

    dependencies = [("datasets", "0002_release_choice_and_seal"), ("audit", "0002_append_only")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

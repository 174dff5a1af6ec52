from django.db import migrations

FORWARD = """
CREATE OR REPLACE FUNCTION voxloop_keep_release() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    IF OLD.state = 'draft' THEN
        IF TG_OP = 'DELETE' THEN RETURN OLD; ELSE RETURN NEW; END IF;
    END IF;
    IF TG_OP = 'DELETE' OR NEW.state = 'draft' OR
       (NEW.id, NEW.campaign_id, NEW.name, NEW.notes, NEW.licence, NEW.filters, NEW.manifest_hash,
        NEW.created_at, NEW.frozen_at)
       IS DISTINCT FROM
       (OLD.id, OLD.campaign_id, OLD.name, OLD.notes, OLD.licence, OLD.filters, OLD.manifest_hash,
        OLD.created_at, OLD.frozen_at)
       OR (NEW.manifest IS DISTINCT FROM OLD.manifest AND NOT (OLD.state = 'yanked' AND voxloop_is_erasing(TG_RELID)))
    THEN
        RAISE EXCEPTION 'release % is frozen: % refused', OLD.name, TG_OP USING ERRCODE = 'restrict_violation';
    END IF;
    RETURN NEW;
END $$;

-- What a frozen list says of an erased scan goes, once the release is yanked; its hash stays, so that copies are known.
CREATE FUNCTION voxloop_erase_from_releases(target uuid) RETURNS integer
    LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE changed integer;
BEGIN
    IF NOT EXISTS (SELECT 1 FROM scans_scan WHERE id = target AND state = 'erased') THEN
        RAISE EXCEPTION 'scan % is not erased: releases keep it', target USING ERRCODE = 'restrict_violation';
    END IF;
    PERFORM set_config('voxloop.erasing', pg_current_xact_id()::text, true);
    UPDATE datasets_release AS release SET manifest = jsonb_set(release.manifest, '{scans}', (
        SELECT jsonb_agg(CASE WHEN entry ->> 'id' = target::text
            THEN jsonb_build_object('id', entry -> 'id', 'code', entry -> 'code', 'erased', true)
            ELSE entry END ORDER BY place)
        FROM jsonb_array_elements(release.manifest -> 'scans') WITH ORDINALITY AS listed(entry, place)
    )) WHERE release.state = 'yanked'
        AND release.manifest -> 'scans' @> jsonb_build_array(jsonb_build_object('id', target::text));
    GET DIAGNOSTICS changed = ROW_COUNT;
    PERFORM set_config('voxloop.erasing', '', true);
    RETURN changed;
END $$;
"""
BACKWARD = """
DROP FUNCTION voxloop_erase_from_releases(uuid);
CREATE OR REPLACE FUNCTION voxloop_keep_release() RETURNS trigger LANGUAGE plpgsql AS $$
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
"""


class Migration(migrations.Migration):
    """An erased patient goes out of the frozen lists, too."""

    dependencies = [("datasets", "0004_rekeyed_manifests"), ("masks", "0006_one_door_for_erasure")]
    operations = [migrations.RunSQL(FORWARD, BACKWARD)]

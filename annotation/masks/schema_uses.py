"""Masks and answers that hold a label schema in place (annotation.work.schema_uses)."""

from django.db import connection

from annotation.work.models import Campaign
from annotation.work.schema_uses import Uses, counted

# Of the campaign's work, and (without an assignment: predictions, imports) of its scans. Old revisions count as well:
# the history shows them, and a mask of before must read as it did.
MASKS = """
SELECT r.layer, one.key, count(DISTINCT r.scan_id)
FROM masks_maskrevision r
LEFT JOIN work_assignment a ON a.id = r.assignment_id
CROSS JOIN LATERAL jsonb_object_keys(
    CASE WHEN r.voxel_counts = '{}'::jsonb THEN '{"": 0}'::jsonb ELSE r.voxel_counts END
) AS one(key)
WHERE a.campaign_id = %(campaign)s OR (r.assignment_id IS NULL AND EXISTS (
    SELECT FROM work_campaignscan c WHERE c.scan_id = r.scan_id AND c.campaign_id = %(campaign)s))
GROUP BY 1, 2 ORDER BY 1, 2
"""
# Lists of several choices are taken apart; `low`, `high` and `longest` are of the numbers and texts.
ANSWERS = """
SELECT one.key, CASE WHEN jsonb_typeof(each.value) = 'string' AND length(each.value #>> '{}') <= 200
                     THEN each.value #>> '{}' END AS chosen,
       count(DISTINCT a.scan_id),
       min(CASE WHEN jsonb_typeof(each.value) = 'number' THEN each.value::text::float END) AS low,
       max(CASE WHEN jsonb_typeof(each.value) = 'number' THEN each.value::text::float END) AS high,
       max(length(each.value #>> '{}')) AS longest
FROM masks_answerset s
JOIN work_assignment a ON a.id = s.assignment_id AND a.campaign_id = %(campaign)s
CROSS JOIN LATERAL jsonb_each(s.values) AS one
CROSS JOIN LATERAL jsonb_array_elements(
    CASE WHEN jsonb_typeof(one.value) = 'array' THEN one.value ELSE jsonb_build_array(one.value) END
) AS each(value)
WHERE jsonb_typeof(each.value) <> 'null'
GROUP BY 1, 2 ORDER BY 1, 2
"""
GIVEN = """
SELECT one.key, count(DISTINCT a.scan_id)
FROM masks_answerset s
JOIN work_assignment a ON a.id = s.assignment_id AND a.campaign_id = %(campaign)s
CROSS JOIN LATERAL jsonb_each(s.values) AS one
WHERE one.value NOT IN ('null'::jsonb, '[]'::jsonb)
GROUP BY 1 ORDER BY 1
"""


def count_masks_and_answers(campaign: Campaign, uses: Uses) -> None:
    """Add the masks of each segment and the answers of each question and choice, drafts and old ones too."""
    given = {"campaign": campaign.pk}
    with connection.cursor() as cursor:
        cursor.execute(MASKS, given)
        for layer, value, scans in cursor.fetchall():
            if value:
                uses.segments[layer, int(value)].append(f"masks of {counted(scans, 'scan')}")
            uses.layers[layer] = ["masks"]
        cursor.execute(GIVEN, given)
        for key, scans in cursor.fetchall():
            uses.questions[key].append(f"answers of {counted(scans, 'scan')}")
        cursor.execute(ANSWERS, given)
        for key, chosen, scans, low, high, longest in cursor.fetchall():
            if chosen is not None:
                uses.choices[key, chosen].append(f"answers of {counted(scans, 'scan')}")
            if low is not None:
                before = uses.numbers.get(key, (low, high))
                uses.numbers[key] = (min(low, before[0]), max(high, before[1]))
            uses.longest[key] = max(uses.longest.get(key, 0), longest or 0)

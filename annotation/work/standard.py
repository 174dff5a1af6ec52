"""The label schema that ships: lung opacities on chest CT, after Topff et al. 2023 (topff2023)."""

from typing import Any

# Coded terms are SNOMED CT where one was certain, else a private scheme that says so in its name.
CHEST_CT: dict[str, Any] = {
    "layers": [
        {
            "name": "findings",
            "title": "Findings",
            "editable": True,
            "segments": [
                {"id": 1, "key": "infectious_opacity", "name": "Infectious opacity", "colour": "#e8ac00",
                 "infectious": True, "code": {"scheme": "SCT", "value": "233604007", "meaning": "Pneumonia"}},
                {"id": 2, "key": "infectious_tree_in_bud", "name": "Infectious tree-in-bud", "colour": "#3074ff",
                 "infectious": True,
                 "code": {"scheme": "99VOXLOOP", "value": "TIB", "meaning": "Infectious tree-in-bud pattern"}},
                {"id": 3, "key": "infectious_cavity", "name": "Infectious cavity", "colour": "#d93f02",
                 "infectious": True,
                 "code": {"scheme": "99VOXLOOP", "value": "CAV", "meaning": "Infectious cavity of lung"}},
                {"id": 4, "key": "nodule_or_mass", "name": "Non-infectious nodule or mass", "colour": "#ae4bb3",
                 "code": {"scheme": "SCT", "value": "309529002", "meaning": "Lung mass"}},
                {"id": 5, "key": "atelectasis", "name": "Atelectasis", "colour": "#31dffe",
                 "code": {"scheme": "SCT", "value": "46621007", "meaning": "Atelectasis"}},
                {"id": 6, "key": "other_opacity", "name": "Other non-infectious opacity", "colour": "#09d36c",
                 "code": {"scheme": "99VOXLOOP", "value": "ONO", "meaning": "Other non-infectious lung opacity"}},
            ],
        },
        {
            "name": "anatomy",
            "title": "Anatomy",
            "editable": False,
            "segments": [
                {"id": 1, "key": "right_upper_lobe", "name": "Right upper lobe", "colour": "#ff78da",
                 "code": {"scheme": "SCT", "value": "45653009", "meaning": "Upper lobe of right lung"}},
                {"id": 2, "key": "right_middle_lobe", "name": "Right middle lobe", "colour": "#f9ef1e",
                 "code": {"scheme": "SCT", "value": "72481006", "meaning": "Middle lobe of right lung"}},
                {"id": 3, "key": "right_lower_lobe", "name": "Right lower lobe", "colour": "#31dffe",
                 "code": {"scheme": "SCT", "value": "266005", "meaning": "Lower lobe of right lung"}},
                {"id": 4, "key": "left_upper_lobe", "name": "Left upper lobe", "colour": "#09d36c",
                 "code": {"scheme": "SCT", "value": "44714003", "meaning": "Upper lobe of left lung"}},
                {"id": 5, "key": "left_lower_lobe", "name": "Left lower lobe", "colour": "#3074ff",
                 "code": {"scheme": "SCT", "value": "41224006", "meaning": "Lower lobe of left lung"}},
                {"id": 10, "key": "lungs", "name": "Lungs", "colour": "#b6b9bd",
                 "code": {"scheme": "SCT", "value": "39607008", "meaning": "Lung structure"}},
            ],
        },
    ],
    "questions": [
        {"key": "diagnosis", "text": "Diagnosis class", "kind": "choice", "required": True, "options": [
            {"value": "covid19", "label": "COVID-19", "means": "infection"},
            {"value": "other_infection", "label": "Other pulmonary infection", "means": "infection"},
            {"value": "no_signs", "label": "No imaging signs of infection", "means": "no_infection"},
        ]},
        # CO-RADS (Prokop et al., Radiology 2020): how much the chest CT looks like COVID-19.
        {"key": "co_rads", "text": "Suspicion of COVID-19 (CO-RADS)", "kind": "choice",
         "shown_when": {"question": "diagnosis", "in": ["covid19", "other_infection"]}, "options": [
            {"value": "1", "label": "1 very low"},
            {"value": "2", "label": "2 low"},
            {"value": "3", "label": "3 equivocal"},
            {"value": "4", "label": "4 high"},
            {"value": "5", "label": "5 very high"},
        ]},
        {"key": "quality", "text": "Image quality", "kind": "choice", "required": True, "options": [
            {"value": "good", "label": "Good"},
            {"value": "limited", "label": "Limited, but readable"},
            {"value": "poor", "label": "Poor"},
        ]},
        {"key": "quality_reason", "text": "What makes it poor", "kind": "choices", "required": True,
         "shown_when": {"question": "quality", "in": ["poor"]}, "options": [
            {"value": "motion", "label": "Motion"},
            {"value": "noise", "label": "Noise"},
            {"value": "incomplete", "label": "Lungs not whole"},
            {"value": "artefact", "label": "Artefact"},
        ]},
        {"key": "confirmed_empty", "text": "Confirmed: no opacity at all", "kind": "boolean"},
        {"key": "other_findings", "text": "Other findings", "kind": "choices", "options": [
            {"value": "effusion", "label": "Pleural effusion"},
            {"value": "nodes", "label": "Enlarged lymph nodes"},
            {"value": "emphysema", "label": "Emphysema"},
            {"value": "fibrosis", "label": "Fibrosis"},
            {"value": "nodule", "label": "Nodule or mass"},
            {"value": "other", "label": "Other"},
        ]},
        {"key": "nodule_mm", "text": "Largest nodule, mean diameter", "kind": "number", "required": True, "unit": "mm",
         "min": 1, "max": 300, "decimals": 1, "shown_when": {"question": "other_findings", "in": ["nodule"]}},
        {"key": "other_finding", "text": "Which other finding", "kind": "text", "required": True, "max_length": 120,
         "shown_when": {"question": "other_findings", "in": ["other"]}},
    ],
}  # fmt: skip

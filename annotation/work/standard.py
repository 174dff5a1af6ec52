"""The label schemas that ship: lung opacities on chest CT, after Topff et al. 2023 (topff2023), and on chest X-rays."""

from typing import Any

QUALITY: dict[str, Any] = {
    "key": "quality",
    "text": "Image quality",
    "kind": "choice",
    "required": True,
    "options": [
        {"value": "good", "label": "Good"},
        {"value": "limited", "label": "Limited, but readable"},
        {"value": "poor", "label": "Poor"},
    ],
}

INFECTIOUS_OPACITY: dict[str, Any] = {
    "id": 1,
    "key": "infectious_opacity",
    "name": "Infectious opacity",
    "colour": "#e8ac00",
    "infectious": True,
    "code": {"scheme": "SCT", "value": "233604007", "meaning": "Pneumonia"},
}

# Coded terms are SNOMED CT where one was certain, else from a private scheme with 99 in its name.
CHEST_CT: dict[str, Any] = {
    "layers": [
        {
            "name": "findings",
            "title": "Findings",
            "editable": True,
            "limit": "lungs",
            "segments": [
                INFECTIOUS_OPACITY,
                {
                    "id": 2,
                    "key": "infectious_tree_in_bud",
                    "name": "Infectious tree-in-bud",
                    "colour": "#3074ff",
                    "infectious": True,
                    "code": {"scheme": "99VOXLOOP", "value": "TIB", "meaning": "Infectious tree-in-bud pattern"},
                },
                {
                    "id": 3,
                    "key": "infectious_cavity",
                    "name": "Infectious cavity",
                    "colour": "#d93f02",
                    "infectious": True,
                    "code": {"scheme": "99VOXLOOP", "value": "CAV", "meaning": "Infectious cavity of lung"},
                },
                {
                    "id": 4,
                    "key": "nodule_or_mass",
                    "name": "Non-infectious nodule or mass",
                    "colour": "#ae4bb3",
                    "code": {"scheme": "SCT", "value": "309529002", "meaning": "Lung mass"},
                },
                {
                    "id": 5,
                    "key": "atelectasis",
                    "name": "Atelectasis",
                    "colour": "#31dffe",
                    "code": {"scheme": "SCT", "value": "46621007", "meaning": "Atelectasis"},
                },
                {
                    "id": 6,
                    "key": "other_opacity",
                    "name": "Other non-infectious opacity",
                    "colour": "#09d36c",
                    "code": {"scheme": "99VOXLOOP", "value": "ONO", "meaning": "Other non-infectious lung opacity"},
                },
            ],
        },
        {
            "name": "anatomy",
            "title": "Anatomy",
            "editable": False,
            "segments": [
                {
                    "id": 1,
                    "key": "right_upper_lobe",
                    "name": "Right upper lobe",
                    "colour": "#ff78da",
                    "code": {"scheme": "SCT", "value": "45653009", "meaning": "Upper lobe of right lung"},
                },
                {
                    "id": 2,
                    "key": "right_middle_lobe",
                    "name": "Right middle lobe",
                    "colour": "#f9ef1e",
                    "code": {"scheme": "SCT", "value": "72481006", "meaning": "Middle lobe of right lung"},
                },
                {
                    "id": 3,
                    "key": "right_lower_lobe",
                    "name": "Right lower lobe",
                    "colour": "#31dffe",
                    "code": {"scheme": "SCT", "value": "266005", "meaning": "Lower lobe of right lung"},
                },
                {
                    "id": 4,
                    "key": "left_upper_lobe",
                    "name": "Left upper lobe",
                    "colour": "#09d36c",
                    "code": {"scheme": "SCT", "value": "44714003", "meaning": "Upper lobe of left lung"},
                },
                {
                    "id": 5,
                    "key": "left_lower_lobe",
                    "name": "Left lower lobe",
                    "colour": "#3074ff",
                    "code": {"scheme": "SCT", "value": "41224006", "meaning": "Lower lobe of left lung"},
                },
                {
                    "id": 10,
                    "key": "lungs",
                    "name": "Lungs",
                    "colour": "#b6b9bd",
                    "code": {"scheme": "SCT", "value": "39607008", "meaning": "Lung structure"},
                },
            ],
        },
    ],
    "questions": [
        {
            "key": "diagnosis",
            "text": "Diagnosis class",
            "kind": "choice",
            "required": True,
            "options": [
                {"value": "covid19", "label": "COVID-19", "means": "infection"},
                {"value": "other_infection", "label": "Other pulmonary infection", "means": "infection"},
                {"value": "no_signs", "label": "No imaging signs of infection", "means": "no_infection"},
            ],
        },
        # CO-RADS (Prokop et al., Radiology 2020): how much the chest CT looks like COVID-19.
        {
            "key": "co_rads",
            "text": "Suspicion of COVID-19 (CO-RADS)",
            "kind": "choice",
            "shown_when": {"question": "diagnosis", "in": ["covid19", "other_infection"]},
            "options": [
                {"value": "1", "label": "1 very low"},
                {"value": "2", "label": "2 low"},
                {"value": "3", "label": "3 equivocal"},
                {"value": "4", "label": "4 high"},
                {"value": "5", "label": "5 very high"},
            ],
        },
        QUALITY,
        {
            "key": "quality_reason",
            "text": "What makes it poor",
            "kind": "choices",
            "required": True,
            "shown_when": {"question": "quality", "in": ["poor"]},
            "options": [
                {"value": "motion", "label": "Motion"},
                {"value": "noise", "label": "Noise"},
                {"value": "incomplete", "label": "Lungs not whole"},
                {"value": "artefact", "label": "Artefact"},
            ],
        },
        {"key": "confirmed_empty", "text": "Confirmed: no opacity at all", "kind": "boolean"},
        {
            "key": "other_findings",
            "text": "Other findings",
            "kind": "choices",
            "options": [
                {"value": "effusion", "label": "Pleural effusion"},
                {"value": "nodes", "label": "Enlarged lymph nodes"},
                {"value": "emphysema", "label": "Emphysema"},
                {"value": "fibrosis", "label": "Fibrosis"},
                {"value": "nodule", "label": "Nodule or mass"},
                {"value": "other", "label": "Other"},
            ],
        },
        {
            "key": "nodule_mm",
            "text": "Largest nodule, mean diameter",
            "kind": "number",
            "required": True,
            "unit": "mm",
            "min": 1,
            "max": 300,
            "decimals": 1,
            "shown_when": {"question": "other_findings", "in": ["nodule"]},
        },
        {
            "key": "other_finding",
            "text": "Which other finding",
            "kind": "text",
            "required": True,
            "max_length": 120,
            "shown_when": {"question": "other_findings", "in": ["other"]},
        },
    ],
}

# Limited to what is visible on one projection.
CHEST_X_RAY: dict[str, Any] = {
    "layers": [
        {
            "name": "findings",
            "title": "Findings",
            "editable": True,
            "segments": [
                INFECTIOUS_OPACITY,
                {
                    "id": 2,
                    "key": "nodule_or_mass",
                    "name": "Nodule or mass",
                    "colour": "#ae4bb3",
                    "code": {"scheme": "SCT", "value": "309529002", "meaning": "Lung mass"},
                },
                {
                    "id": 3,
                    "key": "atelectasis",
                    "name": "Atelectasis",
                    "colour": "#31dffe",
                    "code": {"scheme": "SCT", "value": "46621007", "meaning": "Atelectasis"},
                },
                {
                    "id": 4,
                    "key": "pleural_effusion",
                    "name": "Pleural effusion",
                    "colour": "#3074ff",
                    "code": {"scheme": "SCT", "value": "60046008", "meaning": "Pleural effusion"},
                },
                {
                    "id": 5,
                    "key": "pneumothorax",
                    "name": "Pneumothorax",
                    "colour": "#d93f02",
                    "code": {"scheme": "SCT", "value": "36118008", "meaning": "Pneumothorax"},
                },
                {
                    "id": 6,
                    "key": "other_opacity",
                    "name": "Other opacity",
                    "colour": "#09d36c",
                    "code": {"scheme": "99VOXLOOP", "value": "OXO", "meaning": "Other opacity on a chest X-ray"},
                },
            ],
        },
    ],
    "questions": [
        {
            "key": "infection",
            "text": "Signs of infection",
            "kind": "choice",
            "required": True,
            "options": [
                {"value": "yes", "label": "Signs of infection", "means": "infection"},
                {"value": "no", "label": "No signs of infection", "means": "no_infection"},
            ],
        },
        {
            "key": "projection",
            "text": "Projection",
            "kind": "choice",
            "options": [
                {"value": "pa", "label": "PA"},
                {"value": "ap", "label": "AP, or lying"},
                {"value": "unknown", "label": "Cannot be told"},
            ],
        },
        QUALITY,
        {"key": "confirmed_empty", "text": "Confirmed: no finding at all", "kind": "boolean"},
    ],
}

STANDARD: dict[str, tuple[str, dict[str, Any]]] = {
    "chest-ct": ("Chest CT: lung opacities", CHEST_CT),
    "chest-x-ray": ("Chest X-ray", CHEST_X_RAY),
}

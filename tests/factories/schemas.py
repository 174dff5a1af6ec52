"""A label schema of another organ than the standard one."""

from typing import Any

LIVER: dict[str, Any] = {
    "layers": [
        {
            "name": "liver",
            "title": "Liver",
            "editable": False,
            "segments": [{"id": 1, "key": "liver", "name": "Liver", "colour": "#b6b9bd"}],
        },
        {
            "name": "lesions",
            "title": "Lesions",
            "segments": [
                {
                    "id": 1,
                    "key": "metastasis",
                    "name": "Metastasis",
                    "colour": "#e8ac00",
                    "code": {"scheme": "SCT", "value": "94381002", "meaning": "Secondary malignant neoplasm of liver"},
                },
                {"id": 2, "key": "cyst", "name": "Cyst", "colour": "#3074ff", "infectious": None},
            ],
        },
    ],
    "questions": [
        {
            "key": "phase",
            "text": "Contrast phase",
            "kind": "choice",
            "options": [{"value": "portal", "label": "Portal venous"}, {"value": "other", "label": "Other"}],
        }
    ],
}

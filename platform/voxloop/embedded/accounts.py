"""The people of the demonstration."""

ACCOUNTS = {
    "administrator": "administrator",
    "coordinator": "coordinator",
    "reviewer": "reviewer",
    "datamanager": "data_manager",
    "arbitrator": "arbitrator",
    "annotator1": "annotator",
    "annotator2": "annotator",
    "annotator3": "annotator",
}

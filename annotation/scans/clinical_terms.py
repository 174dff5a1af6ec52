"""The words of a clinical record: nothing else is stored in it, so no free text, name or date can be."""

from collections.abc import Mapping

OLDEST = 90  # years: whoever is older is written as this one
MOST_YEARS = 130  # a larger number is no age

SEXES: Mapping[str, str] = {"female": "Female", "male": "Male", "other": "Other"}
HOSPITALISATIONS: Mapping[str, str] = {
    "outpatient": "Outpatient",
    "inpatient": "Inpatient",
    "inpatient_icu": "Inpatient, intensive care",
}
# As the question of the chest CT schema (topff2023), and what is none of them.
DIAGNOSES: Mapping[str, str] = {
    "covid19": "COVID-19",
    "other_infection": "Other pulmonary infection",
    "no_signs": "No imaging signs of infection",
    "other_disease": "Another disease of the lung",
}
PATHOGENS: Mapping[str, str] = {
    "sars_cov_2": "SARS-CoV-2",
    "influenza_a": "Influenza A",
    "influenza_b": "Influenza B",
    "rsv": "Respiratory syncytial virus",
    "other_virus": "Another virus",
    "mycobacteria": "Mycobacteria",
    "other_bacteria": "Other bacteria",
    "fungi": "Fungi",
}
RESULTS: Mapping[str, str] = {"positive": "Positive", "negative": "Negative", "inconclusive": "Inconclusive"}

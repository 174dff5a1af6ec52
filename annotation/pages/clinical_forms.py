"""Forms of a sheet with clinical records: the file, then what its columns and words mean."""

from collections.abc import Mapping
from typing import Any

from django import forms

from annotation.intake.clinical.mapping import DATES, FIELDS, WORDS, SheetMapping
from annotation.intake.clinical.sheet import Sheet
from annotation.pages.form_fields import offer_rows
from annotation.scans.models import Site

MOST_WORDS = 40  # of a column: more are no words of a list


class SheetForm(forms.Form):
    """A sheet of one site."""

    site = forms.ModelChoiceField(label="Site", queryset=Site.objects.none(), empty_label=None)
    file = forms.FileField(
        label="Sheet",
        help_text="CSV (UTF-8), one row for each patient or for each test of one; pseudonymised at the site.",
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,text/csv"}),
    )

    def __init__(self, *args: Any, sites: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        offer_rows(self, "site", sites, lambda site: f"{site.code}: {site.name}")


class MeaningForm(forms.Form):
    """One choice for each column; for the columns of words, one for each word that is not ours."""

    key = forms.CharField(widget=forms.HiddenInput())  # of the sheet that the page showed
    dates = forms.ChoiceField(label="Days are written as", choices=[(name, name) for name in DATES])
    pathogen = forms.ChoiceField(
        label="Every test is of",
        required=False,
        choices=[("", "The sheet says it in a column"), *WORDS["pathogen"].items()],
    )

    def __init__(self, *args: Any, sheet: Sheet, mapping: SheetMapping, **more: Any) -> None:
        super().__init__(*args, **more)
        self.sheet = sheet
        self.initial.update(dates=mapping.dates, pathogen=mapping.fixed.get("pathogen", ""))
        choices = [("", "Leave out"), *FIELDS.items()]
        for n, column in enumerate(sheet.columns):
            self.fields[f"column_{n}"] = forms.ChoiceField(
                label=f"“{column}” is", choices=choices, required=False, initial=mapping.columns.get(column, "")
            )
        self.words: list[tuple[str, str, str]] = []  # name of the form's field, our field, their word
        meant = self._columns(self.data) if self.is_bound else mapping.columns
        for column, field in meant.items():
            if field in WORDS and column in sheet.columns:
                self._offer_words(column, field, mapping.values.get(field, {}))

    def _offer_words(self, column: str, field: str, known: Mapping[str, str]) -> None:
        found = sorted({row.cells[column].lower() for row in self.sheet.rows} - {"", *WORDS[field]})
        plain = {theirs.lower(): ours for theirs, ours in known.items()}
        for n, word in enumerate(found[:MOST_WORDS]):
            name = f"word_{field}_{n}"
            self.words.append((name, field, word))
            self.fields[name] = forms.ChoiceField(
                label=f"“{word}” means",
                choices=[("", "Not mapped: the row is left out"), *WORDS[field].items()],
                required=False,
                initial=plain.get(word, ""),
            )

    def _columns(self, data: Mapping[str, Any]) -> dict[str, str]:
        told = {column: data.get(f"column_{n}", "") for n, column in enumerate(self.sheet.columns)}
        return {column: field for column, field in told.items() if field}

    def column_rows(self) -> list[tuple[str, str, Any]]:
        """Name of each column, a word for what its cells look like, and the bound field."""
        return [(column, self._look(column), self[f"column_{n}"]) for n, column in enumerate(self.sheet.columns)]

    def word_rows(self) -> list[tuple[str, str, Any]]:
        """Our field, their word, and the bound field."""
        return [(FIELDS[field], word, self[name]) for name, field, word in self.words]

    def _look(self, column: str) -> str:
        filled = sum(bool(row.cells[column]) for row in self.sheet.rows)
        return f"{filled} of {len(self.sheet.rows)} filled"

    def mapping(self, before: SheetMapping | None) -> SheetMapping:
        """What the person said, unchecked, with words of the site's sheets before that are not in this one."""
        asked = {(field, word) for _, field, word in self.words}
        values: dict[str, dict[str, str]] = {}
        for field, known in (before.values if before else {}).items():
            values[field] = {theirs: ours for theirs, ours in known.items() if (field, theirs.lower()) not in asked}
        for name, field, word in self.words:
            if ours := self.cleaned_data.get(name):
                values.setdefault(field, {})[word] = ours
        fixed = {"pathogen": self.cleaned_data["pathogen"]} if self.cleaned_data["pathogen"] else {}
        return SheetMapping(self._columns(self.cleaned_data), values, fixed, self.cleaned_data["dates"])


def columns_known(sheet: Sheet, mapping: SheetMapping | None, own: Mapping[str, str]) -> SheetMapping:
    """What is known of a sheet before anybody said anything: the site's last mapping, else columns with our names."""
    if mapping is None:
        return SheetMapping(dict(own))
    columns = {column: field for column, field in mapping.columns.items() if column in sheet.columns}
    rest = {column: field for column, field in own.items() if field not in columns.values()}
    return SheetMapping({**columns, **rest}, mapping.values, mapping.fixed, mapping.dates)

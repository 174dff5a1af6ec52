"""Croissant metadata (MLCommons, 1.0) of a release: what `mlcroissant` needs to find the files and load the tables."""

from collections.abc import Mapping, Sequence
from typing import Any

from annotation.datasets.exporters.listing import Frozen, Listing
from annotation.datasets.licences import address_of

FORMAT = "http://mlcommons.org/croissant/1.0"
# Of the specification; a program that reads another one says so.
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
TYPES = {"text": "sc:Text", "whole number": "sc:Integer", "number": "sc:Float"}


def croissant_document(
    frozen: Frozen, listing: Listing, tables: Mapping[str, Sequence[Mapping[str, str]]]
) -> dict[str, Any]:
    """`croissant.json`. `tables` is the data dictionary of the CSV files in `tables/`, which are listed already."""
    release = frozen["release"]
    listed = {entry["path"]: entry for entry in listing.files}
    files = [
        {
            "@type": "cr:FileObject",
            "@id": f"tables/{name}.csv",
            "name": f"{name}.csv",
            "contentUrl": f"tables/{name}.csv",
            "contentSize": f"{listed[f'tables/{name}.csv']['bytes']} B",
            "encodingFormat": "text/csv",
            "sha256": listed[f"tables/{name}.csv"]["sha256"],
        }
        for name in tables
    ]
    folders = sorted(
        {str(entry["path"]).split("/")[0] for entry in listing.files if entry["role"] in ("image", "label")}
    )
    return {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": FORMAT,
        "name": "".join(sign if sign.isalnum() else "-" for sign in f"{frozen['campaign']['slug']}-{release['name']}"),
        "description": release["notes"] or f"{frozen['campaign']['name']}: {len(frozen['scans'])} scans, approved.",
        "license": address_of(release["licence"]) or release["licence"] or "not stated",
        "url": f"urn:uuid:{release['id']}",
        "version": "1.0.0",
        "datePublished": release["frozen_at"],
        "creator": {"@type": "sc:Organization", "name": frozen["campaign"]["name"]},
        "citeAs": f"{frozen['campaign']['name']}: {release['name']}",
        "distribution": [
            *files,
            *(
                {
                    "@type": "cr:FileSet",
                    "@id": folder,
                    "name": folder,
                    "encodingFormat": "application/gzip",
                    "includes": f"{folder}/*.nii.gz",
                }
                for folder in folders
            ),
        ],
        "recordSet": [_records(name, columns) for name, columns in tables.items()],
    }


def _records(name: str, columns: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    return {
        "@type": "cr:RecordSet",
        "@id": name,
        "name": name,
        "field": [
            {
                "@type": "cr:Field",
                "@id": f"{name}/{column['column']}",
                "name": column["column"],
                "description": f"{column['about']} ({column['unit']})" if column["unit"] else column["about"],
                "dataType": TYPES[column["type"]],
                "source": {"fileObject": {"@id": f"tables/{name}.csv"}, "extract": {"column": column["column"]}},
            }
            for column in columns
        ],
    }

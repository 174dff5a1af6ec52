"""Addresses below /dicom-web/ (PS3.18 10.1)."""

from django.urls import path, register_converter

from annotation.dicomweb.retrieve_api import (
    BulkDataView,
    FramesView,
    InstanceView,
    MetadataView,
    PictureView,
    RetrieveView,
)
from annotation.dicomweb.search_api import InstanceSearchView, SeriesSearchView
from annotation.dicomweb.study_api import StudiesView, StudyView


class UidConverter:
    """A UID in an address."""

    regex = "[0-9.]{1,64}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(UidConverter, "uid")

STUDY = "studies/<uid:study>"
SERIES = f"{STUDY}/series/<uid:series>"
INSTANCE = f"{SERIES}/instances/<uid:instance>"
THUMBNAIL = PictureView.as_view(is_thumbnail=True)

urls = [
    path("studies", StudiesView.as_view(), name="dicom-studies"),
    path("series", SeriesSearchView.as_view(), name="dicom-series-search"),
    path("instances", InstanceSearchView.as_view(), name="dicom-instances-search"),
    path(STUDY, StudyView.as_view(), name="dicom-study"),
    path(f"{STUDY}/metadata", MetadataView.as_view(), name="dicom-study-metadata"),
    path(f"{STUDY}/series", SeriesSearchView.as_view(), name="dicom-study-series"),
    path(f"{STUDY}/instances", InstanceSearchView.as_view(), name="dicom-study-instances"),
    path(f"{STUDY}/thumbnail", THUMBNAIL, name="dicom-study-thumbnail"),
    path(SERIES, RetrieveView.as_view(), name="dicom-series"),
    path(f"{SERIES}/metadata", MetadataView.as_view(), name="dicom-series-metadata"),
    path(f"{SERIES}/instances", InstanceSearchView.as_view(), name="dicom-series-instances"),
    path(f"{SERIES}/thumbnail", THUMBNAIL, name="dicom-series-thumbnail"),
    path(INSTANCE, InstanceView.as_view(), name="dicom-instance"),
    path(f"{INSTANCE}/metadata", MetadataView.as_view(), name="dicom-instance-metadata"),
    path(f"{INSTANCE}/thumbnail", THUMBNAIL, name="dicom-instance-thumbnail"),
    path(f"{INSTANCE}/rendered", PictureView.as_view(), name="dicom-instance-rendered"),
    path(f"{INSTANCE}/bulkdata/7FE00010", BulkDataView.as_view(), name="dicom-bulkdata"),
    path(f"{INSTANCE}/frames/<str:frames>", FramesView.as_view(), name="dicom-frames"),
    path(f"{INSTANCE}/frames/<str:frames>/rendered", PictureView.as_view(), name="dicom-frames-rendered"),
]

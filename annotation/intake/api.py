"""HTTP for receiving scans."""

from typing import Any

from django.conf import settings
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.intake.services import receive_upload
from annotation.scans.selectors import visible_sites
from annotation.work.selectors import visible_campaigns
from voxloop.accounts.requests import Request
from voxloop.jobs.api import JobSerializer
from voxloop.kernel.errors import Invalid, NotFound, TooLarge

MULTIPART_BYTES = 1 << 20  # multipart overhead and fields besides the file


class UploadSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(allow_empty_file=True)
    site = serializers.SlugField(help_text="code of the site")
    campaign = serializers.SlugField(help_text="slug of the campaign")
    nevertheless = serializers.CharField(
        required=False,
        allow_blank=True,
        max_length=500,
        help_text="why doubtful series are taken in: derived CT, X-rays as secondary captures, values unlike HU",
    )


class ScanUploadView(APIView):
    """A zip of DICOM series or NIfTI files, or one NIfTI, of de-identified scans; returns the import job (202)."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    @extend_schema(request=UploadSerializer, responses={202: JobSerializer})
    def post(self, request: Request) -> Response:
        # Before the body is read: the upload handler then streams it to disk.
        declared = str(request.META.get("CONTENT_LENGTH") or "0")
        if not (declared.isascii() and declared.isdigit() and len(declared) <= 18):
            raise Invalid("The Content-Length is not a number.", code="bad_content_length")
        if int(declared) > settings.MAX_UPLOAD_BYTES + MULTIPART_BYTES:
            raise TooLarge(f"An upload holds at most {settings.MAX_UPLOAD_BYTES >> 20} MiB.")
        body = UploadSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        site = visible_sites(request.user).filter(code=wanted["site"]).first()
        campaign = visible_campaigns(request.user).filter(slug=wanted["campaign"]).first()
        if site is None or campaign is None:
            raise NotFound("There is no such site or campaign, or you may not see it.")
        job = receive_upload(
            upload=wanted["file"],
            site=site,
            campaign=campaign,
            actor=request.user,
            overrule=wanted.get("nevertheless", ""),
        )
        return Response(JobSerializer(job).data, status=202)

"""HTTP for masks from elsewhere."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.permissions import IsAuthenticated
from rest_framework.response import Response
from rest_framework.views import APIView

from annotation.masks.api import SavedSerializer
from annotation.masks.elsewhere import import_read_mask, layer_for, read_upload
from annotation.masks.facts import FoundLabelFacts, FoundMaskFacts
from annotation.masks.mapping import parse_map, suggest
from annotation.work.selectors import visible_campaigns, visible_scans
from voxloop.accounts.requests import Request
from voxloop.kernel.errors import NotFound
from voxloop.kernel.facts import plain


class ScanMaskSerializer(serializers.Serializer[Any]):
    file = serializers.FileField(help_text=".nii.gz, .nii, .nrrd, .seg.nrrd, .mha or .dcm (SEG, RTSTRUCT)")
    campaign = serializers.SlugField(help_text="slug of the campaign whose label schema counts")
    layer = serializers.CharField(required=False, help_text="default: the first that is drawn")
    map = serializers.ListField(
        child=serializers.CharField(max_length=300),
        required=False,
        help_text="their=ours, once for each label: a name or value of the file and a segment's key; nothing after = "
        "leaves it out; without any, the labels are listed and nothing is stored",
    )
    resample = serializers.BooleanField(required=False, default=False, help_text="take another grid, nearest neighbour")
    threshold = serializers.FloatField(required=False, allow_null=True, help_text="least share of a FRACTIONAL one")
    beside_work = serializers.BooleanField(required=False, default=False, help_text="although work has begun")


class ScanMasksView(APIView):
    """A mask that another program made of a scan."""

    permission_classes = [IsAuthenticated]
    parser_classes = [MultiPartParser]

    @extend_schema(request=ScanMaskSerializer, responses={200: FoundMaskFacts, 201: SavedSerializer})
    def post(self, request: Request, pk: UUID) -> Response:
        """Read a mask file; with `map` store it as a revision (201; the newest import, when it has the same voxels),
        without it list its labels (200) and store nothing."""
        scan = visible_scans(request.user).filter(pk=pk).first()
        if scan is None:
            raise NotFound
        body = ScanMaskSerializer(data=request.data)
        body.is_valid(raise_exception=True)
        wanted = body.validated_data
        campaign = visible_campaigns(request.user).filter(slug=wanted["campaign"]).first()
        if campaign is None:
            raise NotFound("There is no such campaign, or you may not see it.")
        layer = layer_for(scan, campaign, wanted.get("layer"), request.user)
        found = read_upload(
            upload=wanted["file"], scan=scan, may_resample=wanted["resample"], threshold=wanted.get("threshold")
        )
        if not wanted.get("map"):
            guess = suggest(found.labels, layer)
            labels = [
                FoundLabelFacts(one.name, one.value, one.voxels, guess[n])
                for n, one in enumerate(found.labels, start=1)
            ]
            return Response(plain(FoundMaskFacts(found.format, found.software, found.is_resampled, labels)))
        revision, _ = import_read_mask(
            found=found,
            mapped=parse_map(wanted["map"], found.labels, layer),
            scan=scan,
            campaign=campaign,
            layer=layer.name,
            actor=request.user,
            beside_work=wanted["beside_work"],
        )
        return Response(SavedSerializer(revision).data, status=201)

from django.apps import AppConfig


class ReviewsConfig(AppConfig):
    name = "annotation.reviews"
    label = "reviews"

    def ready(self) -> None:
        from annotation.reviews.erasing import PART
        from annotation.reviews.services import end_rounds, give_back_claims
        from annotation.scans.erasing import on_erasure
        from annotation.scans.services import on_withdrawn
        from annotation.work.people import on_closed

        on_withdrawn(end_rounds)
        on_closed(give_back_claims)
        on_erasure(PART)

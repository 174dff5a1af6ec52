from django.apps import AppConfig


class AuditConfig(AppConfig):
    name = "voxloop.audit"
    label = "audit"

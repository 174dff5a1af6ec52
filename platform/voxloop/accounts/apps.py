from django.apps import AppConfig


class AccountsConfig(AppConfig):
    name = "voxloop.accounts"
    label = "accounts"

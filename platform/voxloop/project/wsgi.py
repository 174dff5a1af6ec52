import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")
application = get_wsgi_application()

from django.db import connection  # noqa: E402 - needs the applications

from voxloop.installation.services import check_start  # noqa: E402

check_start()
connection.close()

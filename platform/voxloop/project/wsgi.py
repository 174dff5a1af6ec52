import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "voxloop.project.settings")
# A person waits for a page: timeouts of locks and statements are shorter than a worker's.
os.environ.setdefault("VOXLOOP_LOCK_SECONDS", "5")
os.environ.setdefault("VOXLOOP_STATEMENT_SECONDS", "60")
application = get_wsgi_application()

from django.db import connection  # noqa: E402 - needs the applications

from voxloop.installation.services import check_start  # noqa: E402

check_start()
connection.close()

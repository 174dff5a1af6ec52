"""Settings. What differs between machines comes from the environment (`VOXLOOP_*`, see docs/operating.md)."""

import contextlib
import os
import secrets
import sys
from datetime import timedelta
from pathlib import Path
from urllib.parse import unquote, urlsplit

import structlog
from csp.constants import SELF
from django.core.exceptions import ImproperlyConfigured

BASE_DIR = Path(__file__).resolve().parents[3]


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, "1" if default else "0").lower() in {"1", "true", "yes", "on"}


def _roles(name: str) -> frozenset[str]:
    """Roles that must have a second factor: a comma list, or 1 for those who judge and administer."""
    judges = {"reviewer", "arbitrator", "coordinator", "administrator"}
    text = os.environ.get(name, "").strip().lower()
    if text in {"", "0", "false", "no", "off"}:
        return frozenset()
    named = judges if text in {"1", "true", "yes", "on"} else {role.strip() for role in text.split(",") if role.strip()}
    if strange := named - judges - {"annotator", "data_manager"}:
        raise ImproperlyConfigured(f"{name} names {', '.join(sorted(strange))}, which is no role.")
    return frozenset(named)


STATE_DIR = Path(os.environ.get("VOXLOOP_STATE", BASE_DIR / ".state"))
DATABASE_FOLDER = os.environ.get("VOXLOOP_DATABASE_FOLDER", "")  # where it lies on this machine: its room is watched
WORK_DIR = STATE_DIR / "work"  # scratch of jobs; emptied freely
DEBUG = _flag("VOXLOOP_DEBUG")
# Without a key the process gets one of its own: log-ins end with it, and nothing signed by it lasts.
SECRET_KEY = os.environ.get("VOXLOOP_SECRET_KEY") or secrets.token_urlsafe(48)
# Secrets from before a change: log-ins made under them go on, and what they sealed can be opened and sealed anew.
SECRET_KEY_FALLBACKS = os.environ.get("VOXLOOP_OLD_SECRET_KEYS", "").split()
# By what keys in the database are sealed; never by a secret that ends with the process.
SEALING_SECRETS = [SECRET_KEY, *SECRET_KEY_FALLBACKS] if os.environ.get("VOXLOOP_SECRET_KEY") else []
AUDIT_KEY = os.environ.get("VOXLOOP_AUDIT_KEY") or SECRET_KEY
# Keys that what is stored relies on: their prints are kept in the database, and a back-up holds them.
KEPT_KEYS = {"VOXLOOP_SECRET_KEY": SECRET_KEY, "VOXLOOP_AUDIT_KEY": AUDIT_KEY}
KEYS_GIVEN = {name for name in KEPT_KEYS if os.environ.get(name)}
ALLOWED_HOSTS = os.environ.get("VOXLOOP_HOSTS", "localhost,127.0.0.1,[::1]").split(",")
CSRF_TRUSTED_ORIGINS = [origin for origin in os.environ.get("VOXLOOP_ORIGINS", "").split(",") if origin]
HTTPS = _flag("VOXLOOP_HTTPS")
PROXIES = int(os.environ.get("VOXLOOP_PROXIES", "0"))  # in front; only so many are believed
RATE_FACTOR = float(os.environ.get("VOXLOOP_RATE_FACTOR", "1"))  # 0: nothing is counted
# What no row names any more stays this long before it is deleted.
KEEP_UNREFERENCED_DAYS = int(os.environ.get("VOXLOOP_KEEP_UNREFERENCED_DAYS", "30"))
REQUIRE_TOTP = _roles("VOXLOOP_REQUIRE_TOTP")
_idle = int(os.environ.get("VOXLOOP_IDLE_MINUTES", "60"))
IDLE_LASTS = timedelta(minutes=_idle) if _idle > 0 else None  # None: a log-in lasts its 12 hours, used or not
STORAGE_URL = os.environ.get("VOXLOOP_STORAGE", f"file://{STATE_DIR / 'objects'}")
EXPORT_ROOT = Path(os.environ.get("VOXLOOP_EXPORTS", STATE_DIR / "releases"))
# Buckets that a data manager may export to, besides EXPORT_ROOT: an address that a user types is never opened.
EXPORT_BUCKETS = [url for url in os.environ.get("VOXLOOP_EXPORT_BUCKETS", "").split() if url]
VITE_DIST = BASE_DIR / "frontend" / "dist" / "viewer"
# Where the newest seal of the audit log is written besides the state folder: file://, s3://, mailto:.
ANCHORS = [url for url in os.environ.get("VOXLOOP_ANCHORS", "").split() if url]
METRICS_TOKEN = os.environ.get("VOXLOOP_METRICS_TOKEN", "")
SIGNATURE_LASTS = timedelta(minutes=int(os.environ.get("VOXLOOP_SIGNATURE_MINUTES", "30")))
MAX_MASK_BYTES = 64 << 20
# An interactive segmentation server (docs/formats.md); empty: off. Only an operator names it, never a user.
INTERACTIVE_URL = os.environ.get("VOXLOOP_INTERACTIVE_URL", "")
INTERACTIVE_NAME = os.environ.get("VOXLOOP_INTERACTIVE_NAME", "Interactive model")
INTERACTIVE_LICENCE = os.environ.get("VOXLOOP_INTERACTIVE_LICENCE", "")
INTERACTIVE_SECONDS = float(os.environ.get("VOXLOOP_INTERACTIVE_SECONDS", "20"))
OFFLINE_DAYS = int(os.environ.get("VOXLOOP_OFFLINE_DAYS", "7"))  # 0: no scan is kept in a browser
TRAIN_CPU_THREADS = int(os.environ.get("VOXLOOP_TRAIN_THREADS", "2"))
TRAIN_STEPS = int(os.environ.get("VOXLOOP_TRAIN_STEPS", "0"))  # 0: as the profile says
MAX_UPLOAD_BYTES = int(os.environ.get("VOXLOOP_MAX_UPLOAD_MB", "2048")) << 20

INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "rest_framework",
    "knox",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "axes",
    "csp",
    "django_htmx",
    "django_celery_beat",
    "voxloop.accounts",
    "voxloop.audit",
    "voxloop.installation",
    "voxloop.jobs",
    "voxloop.keeping",
    "annotation.scans",
    "annotation.intake",
    "annotation.work",
    "annotation.masks",
    "annotation.reviews",
    "annotation.learning",
    "annotation.datasets",
    "annotation.pages",
    "annotation.demonstration",
    "annotation.upkeep",
    "voxloop.project",
]

MIDDLEWARE = [
    "voxloop.project.doors.KnownProxies",
    "django.middleware.security.SecurityMiddleware",
    "voxloop.project.answers.CodedAnswers",
    "voxloop.project.doors.BodyLimits",
    "voxloop.project.room.RoomMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "voxloop.project.privacy.KeptNowhere",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "voxloop.accounts.middleware.Gate",
    "voxloop.project.rates.Rates",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "voxloop.project.urls"
WSGI_APPLICATION = "voxloop.project.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "annotation" / "pages" / "templates"],  # before those of allauth
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "annotation.pages.context.navigation",
            ],
        },
    }
]


LOCK_SECONDS = int(os.environ.get("VOXLOOP_LOCK_SECONDS", "15"))
STATEMENT_SECONDS = int(os.environ.get("VOXLOOP_STATEMENT_SECONDS", "0"))  # 0: no limit


def _database(url: str) -> dict[str, object]:
    parts = urlsplit(url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(parts.path.lstrip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": unquote(parts.hostname or ""),
        "PORT": str(parts.port or ""),
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,
        "OPTIONS": {
            # A lock that is not had in so long is told, not waited for: people wait less than workers (`wsgi.py`).
            # The prepared statements (voxloop.kernel.statements) are planned once a connection, not once a value.
            "options": f"-c lock_timeout={LOCK_SECONDS}s -c statement_timeout={STATEMENT_SECONDS}s -c timezone=UTC"
            " -c plan_cache_mode=force_generic_plan",
            "prepare_threshold": 5,
            # A server that is away without a word is noticed, too.
            "connect_timeout": 5,
            "keepalives_idle": 10,
            "keepalives_interval": 5,
            "keepalives_count": 3,
            "tcp_user_timeout": 20_000,  # milliseconds
        },
    }


# Folder of pg_dump and pg_restore; empty: those of the environment or the system that fit the server.
POSTGRES_TOOLS = os.environ.get("VOXLOOP_POSTGRES_TOOLS", "")
DATABASE_URL = os.environ.get("VOXLOOP_DATABASE", "postgresql://voxloop:voxloop@127.0.0.1:5432/voxloop")
DATABASES = {"default": _database(DATABASE_URL)}
# The role that owns the tables, told to `migrate` and `prepare_broker` alone (voxloop.audit.ownership).
WORKING_DATABASE = _database(DATABASE_URL)
OWNER_DATABASE = _database(url) if (url := os.environ.get("VOXLOOP_OWNER_DATABASE", "")) else None
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = [
    "axes.backends.AxesStandaloneBackend",
    "django.contrib.auth.backends.ModelBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "voxloop.accounts.tokens.TokensEnd"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_ADAPTER = "voxloop.accounts.adapter.InvitedOnly"
ACCOUNT_RATE_LIMITS = False  # django-axes does this, and remembers it across processes
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {"change_password": "voxloop.accounts.forms.NewPasswordForm"}
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Voxloop"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s before and after: clocks differ, and typing takes time
MFA_FORMS = {
    "authenticate": "voxloop.accounts.forms.CodeForm",
    "reauthenticate": "voxloop.accounts.forms.ConfirmCodeForm",
    "authenticate_webauthn": "voxloop.accounts.forms.PasskeyForm",
    "reauthenticate_webauthn": "voxloop.accounts.forms.ConfirmPasskeyForm",
    "login_webauthn": "voxloop.accounts.forms.LoginPasskeyForm",
    "add_webauthn": "voxloop.accounts.forms.NewPasskeyForm",
}
AXES_FAILURE_LIMIT = 5
AXES_COOLOFF_TIME = timedelta(minutes=15)
AXES_LOCKOUT_PARAMETERS = ["username"]
AXES_RESET_ON_SUCCESS = True
AXES_USERNAME_CALLABLE = "voxloop.accounts.locking.counted_name"
AXES_SENSITIVE_PARAMETERS = [  # never kept as they were typed
    "username",
    "login",
    "password",
    "oldpassword",
    "password1",
    "password2",
    "code",
    "credential",
]
AXES_LOCKOUT_CALLABLE = "voxloop.project.views.locked_out"
AXES_VERBOSE = False
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]  # `project/doors.py` has settled it

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "voxloop.project.authentication.ScopedTokens",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["voxloop.project.permissions.Nobody"],  # each view says who may; none is closed
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["voxloop.project.parsers.StorableJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "voxloop.project.paging.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS is 405 like any method that an address does not have
    "EXCEPTION_HANDLER": "voxloop.project.problems.problem",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - the name of a model
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=int(os.environ.get("VOXLOOP_TOKEN_DAYS", "30"))),
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_LIMIT_PER_USER": 10,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Voxloop",
    "DESCRIPTION": "Annotation and active learning for 3D medical scans",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",  # its files are served from here; nothing is fetched from elsewhere
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "ENUM_NAME_OVERRIDES": {},
}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = HTTPS
SESSION_COOKIE_AGE = 12 * 3600
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = HTTPS
CSRF_FAILURE_VIEW = "voxloop.project.views.csrf_failure"
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = HTTPS
SECURE_HSTS_PRELOAD = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS and PROXIES else None
SECURE_REDIRECT_EXEMPT = [r"^healthz$"]
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": [SELF, "'wasm-unsafe-eval'"],
        "worker-src": [SELF, "blob:"],
        "style-src": [SELF, "'unsafe-inline'"],  # Cornerstone sizes its canvases by style attributes
        "img-src": [SELF, "data:", "blob:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}

STATIC_URL = "/static/"
STATIC_ROOT = None  # served from where they were built; nothing is collected
STATICFILES_DIRS = [BASE_DIR / "frontend" / "dist"] if (BASE_DIR / "frontend" / "dist").exists() else []
# Vite has named the files by their content already; hashing them again would break its imports.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/viewer/assets/.+$"
WHITENOISE_MIMETYPES = {".wasm": "application/wasm"}


def isolate(headers: dict[str, str], path: str, url: str) -> None:
    """Workers of the viewer, whose page is isolated, must say that they are isolated, too."""
    headers["Cross-Origin-Embedder-Policy"] = "require-corp"


WHITENOISE_ADD_HEADERS_FUNCTION = isolate

CELERY_BROKER_URL = os.environ.get("VOXLOOP_BROKER") or DATABASE_URL.replace("postgresql://", "pgmq://", 1)
if CELERY_BROKER_URL.startswith("pgmq"):
    CELERY_BROKER_TRANSPORT_OPTIONS = {
        "init_extension": False,
        "polling_interval": 0.2,
        "wait_time_seconds": 0,
        "visibility_timeout": 120,
        "pool_timeout": 5,
    }
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_TASK_IGNORE_RESULT = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# One process, one thread for work (docs/adr/0017): a pool of processes hangs for ever when one of them is killed.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # nothing over pgmq; what it would tell stands in the table of workers
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_WORKER_SEND_TASK_EVENTS = False
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "voxloop.jobs.workers:Clock"
CELERY_BEAT_SCHEDULE = {
    "resend-expired-jobs": {"task": "beat.resend_expired_jobs", "schedule": 30.0, "options": {"expires": 25}},
    "expire-leases": {"task": "beat.expire_leases", "schedule": 60.0, "options": {"expires": 50}},
    "expire-review-claims": {"task": "beat.expire_claims", "schedule": 60.0, "options": {"expires": 50}},
    "retrain-when-due": {"task": "beat.retrain_when_due", "schedule": 30.0, "options": {"expires": 25}},
    "finish-erasures": {"task": "beat.finish_erasures", "schedule": 300.0, "options": {"expires": 280}},
    "scrub-weekly": {"task": "beat.scrub_weekly", "schedule": 3600.0, "options": {"expires": 3000}},
    "collect-unreferenced": {"task": "beat.collect_daily", "schedule": 3600.0, "options": {"expires": 3000}},
    "sweep-uploads": {"task": "beat.sweep_uploads", "schedule": 3600.0, "options": {"expires": 3000}},
    "anchor-audit": {"task": "beat.anchor_audit", "schedule": 60.0, "options": {"expires": 50}},
}

# Mail is sent for one thing: anchors of the audit log. smtp://name:password@host:port, smtps://…, or smtp+tls://…
_mail = urlsplit(os.environ.get("VOXLOOP_MAIL", ""))
MAIL_IS_SET = bool(_mail.hostname)
EMAIL_HOST, EMAIL_PORT = _mail.hostname or "", _mail.port or (465 if _mail.scheme == "smtps" else 25)
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = unquote(_mail.username or ""), unquote(_mail.password or "")
EMAIL_USE_SSL, EMAIL_USE_TLS = _mail.scheme == "smtps", _mail.scheme == "smtp+tls"
EMAIL_TIMEOUT = 20
DEFAULT_FROM_EMAIL = os.environ.get("VOXLOOP_MAIL_FROM", "voxloop@localhost")

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
APPEND_SLASH = False  # API routes are named as documented; a wrong one is a 404, not a redirect
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_MASK_BYTES
FILE_UPLOAD_HANDLERS = ["voxloop.project.spool.SpoolHandler"]


class UnstoppableLogger(structlog.PrintLogger):
    """A line that cannot be written, because the disk is full, is lost; what it was about goes on."""

    def msg(self, message: str) -> None:
        """Write one line."""
        with contextlib.suppress(OSError):
            super().msg(message)

    log = debug = info = warn = warning = fatal = failure = err = error = critical = exception = msg


structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.JSONRenderer(),
    ],
    wrapper_class=structlog.make_filtering_bound_logger(20),
    logger_factory=lambda *_: UnstoppableLogger(sys.stderr),  # stdout belongs to the answer of a command
)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"faults": {"()": "voxloop.project.away.FaultsOnly"}},
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    "loggers": {
        "axes": {"level": "ERROR"},
        "django.request": {"level": "ERROR", "filters": ["faults"]},
        "django.server": {"level": "WARNING"},
    },
}
# Locking by name alone is meant: an address behind a hospital proxy is shared by a whole department.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]

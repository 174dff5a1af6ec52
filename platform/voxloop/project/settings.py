"""Settings. Those that differ between machines are in `environment.py`."""

from datetime import timedelta

from csp.constants import SELF

from voxloop.project.environment import *  # noqa: F403 - Django looks for every setting in this one module
from voxloop.project.environment import (
    BASE_DIR,
    CELERY_BROKER_URL,
    DEBUG,
    HTTPS,
    MAX_MASK_BYTES,
    PROXIES,
    TOKEN_DAYS,
)
from voxloop.project.logs import LOGGING as LOGGING

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
    "annotation.reporting",
    "annotation.learning",
    "annotation.datasets",
    "annotation.dicomweb",
    "annotation.notices",
    "annotation.pages",
    "annotation.demonstration",
    "annotation.upkeep",
    "voxloop.project",
]

MIDDLEWARE = [
    "voxloop.project.ingress.KnownProxies",
    "django.middleware.security.SecurityMiddleware",
    "voxloop.project.answers.CodedAnswers",
    "annotation.dicomweb.crossing.NamedOrigins",
    "voxloop.project.ingress.BodyLimits",
    "voxloop.project.room.RoomMiddleware",
    "voxloop.project.built.Isolated",
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
    "voxloop.accounts.zones.BrowserZone",
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
ACCOUNT_RATE_LIMITS = False  # django-axes does this, for all processes
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_FORMS = {"change_password": "voxloop.accounts.forms.NewPasswordForm"}
MFA_ADAPTER = "voxloop.accounts.adapter.NamedPasskeys"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_TOTP_ISSUER = "Voxloop"
MFA_TOTP_TOLERANCE = 1  # steps of 30 s before and after: clock skew and typing time
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
AXES_SENSITIVE_PARAMETERS = [  # stored hashed
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
AXES_IPWARE_META_PRECEDENCE_ORDER = ["REMOTE_ADDR"]  # `project/ingress.py` has set it

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "voxloop.project.authentication.ScopedTokens",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": [
        "voxloop.project.permissions.Nobody"
    ],  # each view declares its permissions; without them it is closed
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["voxloop.project.parsers.StorableJSONParser"],
    "DEFAULT_PAGINATION_CLASS": "voxloop.project.paging.Pages",
    "PAGE_SIZE": 50,
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_METADATA_CLASS": None,  # OPTIONS gives 405 like any other unsupported method
    "EXCEPTION_HANDLER": "voxloop.project.problems.problem",
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}
KNOX_TOKEN_MODEL = "accounts.ApiToken"  # noqa: S105 - the name of a model
REST_KNOX = {
    "TOKEN_TTL": timedelta(days=TOKEN_DAYS),
    "AUTH_HEADER_PREFIX": "Token",
    "TOKEN_LIMIT_PER_USER": 10,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Voxloop",
    "DESCRIPTION": "Annotation and active learning for 3D medical scans",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",  # its files are served from here, not from a CDN
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SERVE_PERMISSIONS": ["rest_framework.permissions.IsAuthenticated"],
    "OAS_VERSION": "3.1.0",  # its schemas are JSON Schema, so tests can validate responses
    "COMPONENT_SPLIT_REQUEST": True,
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "POSTPROCESSING_HOOKS": ["voxloop.project.contract.finish"],
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
STATIC_ROOT = None  # served from the build folder; collectstatic is not used
STATICFILES_DIRS = [BASE_DIR / "frontend" / "dist"] if (BASE_DIR / "frontend" / "dist").exists() else []
# Vite's file names contain content hashes already; hashing them again would break its imports.
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
WHITENOISE_AUTOREFRESH = DEBUG
WHITENOISE_IMMUTABLE_FILE_TEST = r"^/static/viewer/assets/.+$"
WHITENOISE_MIMETYPES = {".wasm": "application/wasm"}

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
# One process, one thread for work (docs/adr/0017): a process pool hangs when one of its processes is killed.
CELERY_WORKER_POOL = "threads"
CELERY_WORKER_CONCURRENCY = 1
CELERY_WORKER_ENABLE_REMOTE_CONTROL = False  # does not work over pgmq; the worker table replaces it
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
    "measure-effort": {"task": "beat.measure_effort", "schedule": 60.0, "options": {"expires": 50}},
    "measure-agreement": {"task": "beat.measure_agreement", "schedule": 60.0, "options": {"expires": 50}},
    "draw-samples": {"task": "beat.draw_samples", "schedule": 60.0, "options": {"expires": 50}},
    "measure-gold": {"task": "beat.measure_gold", "schedule": 60.0, "options": {"expires": 50}},
    "plant-faults": {"task": "beat.plant_faults", "schedule": 60.0, "options": {"expires": 50}},
    "measure-quantities": {"task": "beat.measure_quantities", "schedule": 60.0, "options": {"expires": 50}},
    "finish-erasures": {"task": "beat.finish_erasures", "schedule": 300.0, "options": {"expires": 280}},
    "scrub-weekly": {"task": "beat.scrub_weekly", "schedule": 3600.0, "options": {"expires": 3000}},
    "collect-unreferenced": {"task": "beat.collect_daily", "schedule": 3600.0, "options": {"expires": 3000}},
    "sweep-uploads": {"task": "beat.sweep_uploads", "schedule": 3600.0, "options": {"expires": 3000}},
    "tell-people": {"task": "beat.tell_people", "schedule": 60.0, "options": {"expires": 50}},
    "anchor-audit": {"task": "beat.anchor_audit", "schedule": 60.0, "options": {"expires": 50}},
}

LANGUAGE_CODE = "en-gb"
USE_I18N = False
TIME_ZONE = "UTC"
USE_TZ = True
APPEND_SLASH = False  # a wrong API path is a 404, not a redirect
DATA_UPLOAD_MAX_MEMORY_SIZE = MAX_MASK_BYTES
DATA_UPLOAD_MAX_NUMBER_FIELDS = 5_000  # the page of a label schema has six for each of up to 254 segments
FILE_UPLOAD_HANDLERS = ["voxloop.project.spool.SpoolHandler"]

# Locking by name alone is intended: a whole department may share a proxy's address.
SILENCED_SYSTEM_CHECKS = ["axes.W006"]

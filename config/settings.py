"""Every setting, read once from the environment (django-environ); `.env.example` lists them with their defaults."""

import ipaddress
from pathlib import Path

import environ
from django.core.exceptions import ImproperlyConfigured

from config.look import OPERATORS_UNFOLD, UNFOLD  # noqa: F401  (read by the theme)
from integrations.keyring import BadKeys, key_ring

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
if (BASE_DIR / ".env").exists():
    env.read_env(BASE_DIR / ".env")

# production: for real; demo: `make demo`; test: the test suite. Only production insists on real secrets.
MODE: str = env("MODE", default="production")
DEBUG: bool = env.bool("DEBUG", default=False)
SECRET_KEY: str = env("SECRET_KEY", default="")
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", default=[])
# "k2:<base64 of 32 bytes>,k1:<...>": the first encrypts, all decrypt.
FIELD_ENCRYPTION_KEYS: str = env("FIELD_ENCRYPTION_KEYS", default="")
ALLOWED_HOSTS: list[str] = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS: list[str] = env.list("CSRF_TRUSTED_ORIGINS", default=[])
# The address people and vendors reach us at: OAuth returns here, webhooks come here.
PUBLIC_URL: str = env("PUBLIC_URL", default="http://127.0.0.1:8000").rstrip("/")
# Everybody can read these here, so they protect nothing.
DEMO_SECRET = "demo-and-tests-only-" + "0" * 40
DEMO_KEY = "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="
EXAMPLE_SECRETS = ("change-me", "example", "secret", DEMO_SECRET)


def _refuse_weak_secrets() -> None:
    """In production, stop with one sentence per setting that is missing or still an example."""
    problems = []
    if len(SECRET_KEY) < 40 or len(set(SECRET_KEY)) < 10 or SECRET_KEY.lower().startswith(EXAMPLE_SECRETS):
        problems.append("SECRET_KEY is missing, short or still the example; set 50 random characters.")
    if not FIELD_ENCRYPTION_KEYS or "change-me" in FIELD_ENCRYPTION_KEYS or DEMO_KEY in FIELD_ENCRYPTION_KEYS:
        problems.append(
            "FIELD_ENCRYPTION_KEYS is missing or still the example; make one with `MODE=demo python manage.py new_key`."
        )
    else:
        try:
            key_ring(FIELD_ENCRYPTION_KEYS)
        except BadKeys as problem:
            problems.append(str(problem))
    if not ALLOWED_HOSTS:
        problems.append("ALLOWED_HOSTS is empty; set the host names this installation answers to.")
    if not PUBLIC_URL.startswith("https://"):
        problems.append("PUBLIC_URL must be the https:// address of this installation.")
    if DEBUG:
        problems.append("DEBUG is on; it shows private data on error pages.")
    if problems:
        raise ImproperlyConfigured("Almoner does not start in production mode:\n- " + "\n- ".join(problems))


if MODE not in ("production", "demo", "test"):  # “prod” must not quietly mean the demo's secrets
    raise ImproperlyConfigured(f"MODE is “{MODE}”; it must be production, demo or test.")
if MODE == "production":
    _refuse_weak_secrets()
else:
    SECRET_KEY = SECRET_KEY or DEMO_SECRET
    FIELD_ENCRYPTION_KEYS = FIELD_ENCRYPTION_KEYS or f"dev1:{DEMO_KEY}"
    ALLOWED_HOSTS = ALLOWED_HOSTS or ["127.0.0.1", "localhost", "testserver"]

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",  # the plain one: the sites are our own
    "unfold.contrib.filters",
    "config.apps.AlmonerConfig",
    "config.apps.AlmonerAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "axes",
    "django_q",
    "phonenumber_field",
    "contacts.apps.ContactsConfig",
    "gifts.apps.GiftsConfig",
    "tasks_app.apps.TasksConfig",
    "integrations.apps.IntegrationsConfig",
]

MIDDLEWARE = [
    "contacts.api.draining.ReadToTheEnd",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "config.middleware.SecurityHeaders",
    "config.middleware.RefuseNul",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "contacts.tenancy.middleware.TenantMiddleware",
    "axes.middleware.AxesMiddleware",
]

ROOT_URLCONF = "config.urls"
WSGI_APPLICATION = "config.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
            # Its {% csrf_token %} also says which organization a form was opened under.
            "builtins": ["contacts.tenancy.tags"],
        },
    }
]

DATABASES = {
    # Set but empty, as in a copy of .env.example, is the same as not set.
    "default": env.db_url_config(env("DATABASE_URL", default="") or f"sqlite:///{BASE_DIR / 'var' / 'almoner.sqlite3'}")
}
# Without these the cluster reconnects for every job and loses results after a database restart.
DATABASES["default"] |= {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A deferred transaction that reads first cannot be upgraded once another has written: IMMEDIATE is the remedy.
    # The cache (16 MB, usually 2) holds the indexes of a large Sync, whose cost for each contact rises without it.
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16384;",
    }
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

AUTH_USER_MODEL = "contacts.User"
AUTHENTICATION_BACKENDS = ["axes.backends.AxesStandaloneBackend", "django.contrib.auth.backends.ModelBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
if MODE == "test":
    PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
LOGIN_URL = "/admin/login/"
LOGIN_REDIRECT_URL = "/admin/"
CSRF_FAILURE_VIEW = "config.problems.form_too_old"
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SAMESITE = "Lax"  # Strict would lose the session on the way back from a vendor's Allow page.
AXES_FAILURE_LIMIT = 10
AXES_COOLOFF_TIME = 0.25  # hours
AXES_LOCKOUT_PARAMETERS = [["username", "ip_address"]]
AXES_ENABLED = MODE != "test"
AXES_VERBOSE = False
AXES_USERNAME_FORM_FIELD = "username"  # what the form and `authenticate` call the e-mail address
AXES_LOCKOUT_TEMPLATE = "registration/locked_out.html"
PASSWORD_RESET_TIMEOUT = 3600

# The operators' site lives at an address of its own; staff never need it.
OPERATORS_PATH: str = (env("OPERATORS_PATH", default="operators/").strip("/") or "operators") + "/"

SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
# A proxy of ours stands in front: what it says of the visitor's address and protocol is believed.
BEHIND_PROXY: bool = env.bool("BEHIND_PROXY", default=False)
if MODE == "production":
    # A redirect would lose a vendor's message; the door itself refuses plain HTTP.
    SECURE_REDIRECT_EXEMPT = [r"^hooks/"]
    SECURE_SSL_REDIRECT = env.bool("SECURE_SSL_REDIRECT", default=True)
    SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31536000)
    SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=True)
    SECURE_HSTS_PRELOAD = env.bool("SECURE_HSTS_PRELOAD", default=True)
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = True
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    if BEHIND_PROXY:
        SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000
# The largest file that staff may import; what is larger is refused while it is still coming.
IMPORT_MAX_MB: int = env.int("IMPORT_MAX_MB", default=25)
FILE_UPLOAD_HANDLERS = [
    "contacts.importing.upload.NoLargerThanAllowed",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]
# The demo's file of messy contacts, offered on the page where imports start.
SAMPLE_IMPORT_FILE: str = env("SAMPLE_IMPORT_FILE", default="")

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
STATIC_URL = "static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = Path(env("STATIC_ROOT", default="") or BASE_DIR / "static-root")
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if MODE == "production"
        else "django.contrib.staticfiles.storage.StaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = MODE != "production"

EMAIL_CONFIG = env.email_url("EMAIL_URL", default="consolemail://")
vars().update(EMAIL_CONFIG)
EMAIL_TIMEOUT = 15  # somebody waits for the page meanwhile
DEFAULT_FROM_EMAIL: str = env("DEFAULT_FROM_EMAIL", default="almoner@localhost")
INVITATION_DAYS: int = env.int("INVITATION_DAYS", default=7)
INVITATIONS_PER_DAY: int = env.int("INVITATIONS_PER_DAY", default=50)  # of each organization

# --- background work -------------------------------------------------------------------------------------------------
Q_CLUSTER = {
    "name": env("Q_CLUSTER_NAME", default="almoner"),
    "workers": env.int("Q_WORKERS", default=2),
    "queue_limit": env.int("Q_WORKERS", default=2),  # nothing waits in memory: the retry clock starts at the fetch
    "bulk": 1,
    "poll": env.float("Q_POLL", default=0.2),
    "timeout": 90,
    "retry": 300,
    "ack_failures": True,
    "max_attempts": 1,  # our own rows do the retrying
    "save_limit": -1,
    "catch_up": False,
    "recycle": 500,
    "time_zone": "UTC",
    "label": "Background jobs",
}
Q_BROKER_URL: str = env("Q_BROKER_URL", default="")
if Q_BROKER_URL:
    Q_CLUSTER["redis"] = Q_BROKER_URL
else:
    Q_CLUSTER["orm"] = "default"

# --- the engine ------------------------------------------------------------------------------------------------------
LEASE_SECONDS: float = env.float("LEASE_SECONDS", default=150)  # longer than the longest call
CALL_DEADLINE_SECONDS: float = env.float("CALL_DEADLINE_SECONDS", default=60)
if LEASE_SECONDS <= CALL_DEADLINE_SECONDS:
    raise ImproperlyConfigured("LEASE_SECONDS must be longer than CALL_DEADLINE_SECONDS, or two workers meet.")
SLICE_SECONDS: float = env.float("SLICE_SECONDS", default=15)
BACKOFF_BASE_SECONDS: float = env.float("BACKOFF_BASE_SECONDS", default=2)
BACKOFF_MAX_SECONDS: float = env.float("BACKOFF_MAX_SECONDS", default=900)
# How long a change may wait to go out, with nothing that is known to hold it up, until owners and managers are told.
ALARM_AFTER_MINUTES: int = env.int("ALARM_AFTER_MINUTES", default=15)
# Of the calls a day that a vendor allows all organizations together: the percentage kept for opt-outs and single
# edits.
QUOTA_RESERVE_PERCENT: int = env.int("QUOTA_RESERVE_PERCENT", default=10)
# Networks that are private and may be called all the same (the demo's sandboxes live on one).
OUTGOING_PRIVATE_NETWORKS = [ipaddress.ip_network(text) for text in env.list("OUTGOING_PRIVATE_NETWORKS", default=[])]

# --- our APIs --------------------------------------------------------------------------------------------------------
# Calls a minute, counted over all processes: of one key, and of all keys of one organization together.
API_CALLS_PER_MINUTE: int = env.int("API_CALLS_PER_MINUTE", default=300)
API_CALLS_PER_MINUTE_ORGANIZATION: int = env.int("API_CALLS_PER_MINUTE_ORGANIZATION", default=600)
# A donation that comes again with an identifier that one has already: answered with that one, or refused.
DONATIONS_REPEAT_QUIETLY: bool = env.bool("DONATIONS_REPEAT_QUIETLY", default=True)
# Posts of forms on websites, which have no key, a minute: of one address to one page, and of all to one page. What they
# are told takes a multiple of so many seconds, so that nobody learns from it who is here already.
BLIND_POSTS_PER_MINUTE: int = env.int("BLIND_POSTS_PER_MINUTE", default=10)
BLIND_POSTS_PER_MINUTE_PAGE: int = env.int("BLIND_POSTS_PER_MINUTE_PAGE", default=120)
BLIND_POST_SECONDS: float = env.float("BLIND_POST_SECONDS", default=1.0)
if MODE == "test":
    BLIND_POST_SECONDS = 0
DONORS_PAGE: int = env.int("DONORS_PAGE", default=100)  # donors in one answer of a search
# How long one call takes part in a recount of everybody before it says that it is not at its end.
DONORS_RECALCULATE_SECONDS: float = env.float("DONORS_RECALCULATE_SECONDS", default=25)
REST_FRAMEWORK = {
    "EXCEPTION_HANDLER": "contacts.api.problems.handler",
    "UNAUTHENTICATED_USER": None,
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
}

# --- Mailchimp -------------------------------------------------------------------------------------------------------
MAILCHIMP_CLIENT_ID: str = env("MAILCHIMP_CLIENT_ID", default="")
MAILCHIMP_CLIENT_SECRET: str = env("MAILCHIMP_CLIENT_SECRET", default="")
MAILCHIMP_LOGIN_URL: str = env("MAILCHIMP_LOGIN_URL", default="https://login.mailchimp.com").rstrip("/")
# {dc} is the account's data centre, as the metadata call tells it.
MAILCHIMP_API_URL: str = env("MAILCHIMP_API_URL", default="https://{dc}.api.mailchimp.com").rstrip("/")
MAILCHIMP_CONNECTIONS: int = env.int("MAILCHIMP_CONNECTIONS", default=6)  # of the 10 that one Mailchimp user may hold
# Unconfirmed for the 500-row call. Switched off, the new go with `status`, apart from those who are there already.
MAILCHIMP_BULK_STATUS_IF_NEW: bool = env.bool("MAILCHIMP_BULK_STATUS_IF_NEW", default=True)

# --- Constant Contact ------------------------------------------------------------------------------------------------
CONSTANT_CONTACT_CLIENT_ID: str = env("CONSTANT_CONTACT_CLIENT_ID", default="")
CONSTANT_CONTACT_CLIENT_SECRET: str = env("CONSTANT_CONTACT_CLIENT_SECRET", default="")  # empty: a public client (PKCE)
CONSTANT_CONTACT_LOGIN_URL: str = env(
    "CONSTANT_CONTACT_LOGIN_URL", default="https://authz.constantcontact.com/oauth2/default/v1"
).rstrip("/")
CONSTANT_CONTACT_API_URL: str = env("CONSTANT_CONTACT_API_URL", default="https://api.cc.email").rstrip("/")
# What the vendor allows the application key, over all organizations that use it; 0 does not count.
CONSTANT_CONTACT_PER_SECOND: int = env.int("CONSTANT_CONTACT_PER_SECOND", default=4)
CONSTANT_CONTACT_PER_DAY: int = env.int("CONSTANT_CONTACT_PER_DAY", default=10_000)
# Unconfirmed: that opt-outs can be asked for by date. Switched off, each hourly reading goes through all of them.
CONSTANT_CONTACT_OPTOUT_FILTER: bool = env.bool("CONSTANT_CONTACT_OPTOUT_FILTER", default=True)
# Unconfirmed: what "temp_hold" means. "subscribed" takes it for a pause of the vendor's; "cleaned" for a dead address.
CONSTANT_CONTACT_TEMP_HOLD: str = env("CONSTANT_CONTACT_TEMP_HOLD", default="subscribed")

# --- DonorPerfect ----------------------------------------------------------------------------------------------------
# Organizations may live on another host of DonorPerfect's; the path is always the same.
DONOR_PERFECT_URL: str = env("DONOR_PERFECT_URL", default="https://www.donorperfect.net").rstrip("/")
# Unconfirmed: the field_name of activity codes in dpcodes. The one under which the vendor's users choose them.
DONOR_PERFECT_ACTIVITY_FIELD: str = env("DONOR_PERFECT_ACTIVITY_FIELD", default="ACTIVITY_CODE")
# No quota is published: seconds between two calls of one connection.
DONOR_PERFECT_PAUSE_SECONDS: float = env.float("DONOR_PERFECT_PAUSE_SECONDS", default=0.1)
# How often new gifts are looked for where they are entered, and how often what was changed or deleted there.
GIFTS_EVERY_MINUTES: float = env.float("GIFTS_EVERY_MINUTES", default=5)
GIFT_CHANGES_EVERY_MINUTES: float = env.float("GIFT_CHANGES_EVERY_MINUTES", default=720)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"json": {"()": "config.logs.JsonFormatter"}},
    "handlers": {"console": {"class": "logging.StreamHandler", "formatter": "json"}},
    "root": {"handlers": ["console"], "level": env("LOG_LEVEL", default="INFO")},
    "loggers": {
        "urllib3": {"level": "WARNING"},
        "requests": {"level": "WARNING"},
        "django.request": {"level": "ERROR"},
        "axes": {"level": "ERROR"},
    },
}

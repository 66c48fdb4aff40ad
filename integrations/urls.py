"""The addresses of this app: staff pages under the staff site, the way back from vendors, and the vendors' door."""

from typing import Any

from django.urls import include, path, re_path

from integrations import webhooks
from integrations.views import (
    alarms,
    aside,
    checks,
    connect,
    gifts,
    history,
    hooks,
    keys,
    not_saved,
    report,
    runs,
    settings,
    setup,
    switches,
    undo,
)

app_name = "integrations"

of_one = [
    path("connect/", connect.start, name="connect"),
    path("key/", keys.edit, name="key"),
    path("switches/", switches.show, name="switches"),
    path("switches/codes/", switches.codes, name="codes"),
    path("switches/turn/", switches.turn, name="turn"),
    path("switches/choices/", switches.choices, name="choices"),
    path("gifts/", gifts.all_runs, name="gift_runs"),
    path("gifts/look/", gifts.look, name="look"),
    path("gifts/<uuid:uid>/", gifts.show, name="gift_run"),
    path("gifts/<uuid:uid>/confirm/", gifts.confirm, name="confirm_gone"),
    path("not-saved/", not_saved.show, name="not_saved"),
    path("not-saved/save/", not_saved.save, name="save_now"),
    path("account/", connect.account, name="account"),
    path("disconnect/", connect.disconnect, name="disconnect"),
    path("settings/", settings.edit, name="settings"),
    path("listen/", settings.listen, name="listen"),
    path("alarms/", alarms.show, name="alarms"),
    path("sync/", runs.start, name="sync"),
    path("check/", checks.start, name="check"),
    path("brake/", runs.brake, name="brake"),
]
of_run = [
    path("", checks.show, name="run"),
    path("progress/", runs.progress, name="progress"),
    path("confirm/", runs.confirm, name="confirm"),
    path("repair/", checks.repair, name="repair"),
    path("use-list/", checks.use_list, name="use_list"),
    path("cancel/", runs.cancel, name="cancel"),
    path("take-back/", undo.start, name="take_back"),
    path("report.csv", report.download, name="report"),
]
staff: list[Any] = [
    path("setup/", setup.show, name="setup"),
    path("setup/<slug:provider>/", include(of_one)),
    path("syncs/", runs.all_runs, name="runs"),
    path("syncs/<uuid:uid>/", include(of_run)),
    path("set-aside/", aside.show, name="aside"),
    path("set-aside/retry/", aside.retry, name="retry"),
    path("webhooks/", hooks.show, name="hooks"),
    path("webhooks/new/", hooks.new, name="hook_new"),
    path("webhooks/<uuid:uid>/", hooks.one, name="hook_page"),
    path("webhooks/<uuid:uid>/remove/", hooks.remove, name="hook_remove"),
    path("webhooks/<uuid:uid>/test/", hooks.test, name="hook_test"),
    path("webhooks/<uuid:uid>/secret/", hooks.secret, name="hook_secret"),
    path("webhooks/<uuid:uid>/resume/", hooks.resume, name="hook_resume"),
    path("webhooks/<uuid:uid>/<uuid:delivery>/again/", hooks.again, name="hook_again"),
    path("history/<slug:provider>/<uuid:uid>/", history.more, name="history"),
]
urlpatterns = [
    path("admin/integrations/", include(staff)),
    path("integrations/<slug:provider>/callback/", connect.callback, name="callback"),
    # With and without the last slash: a redirect would lose the message.
    re_path(r"^hooks/(?P<provider>[a-z0-9_]+)/(?P<key>[A-Za-z0-9_-]{20,100})/?$", webhooks.door, name="hook"),
]

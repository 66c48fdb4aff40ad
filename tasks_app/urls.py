"""The addresses of the video app's API, below /api/video/v1/."""

from django.urls import path

from tasks_app.api import contacts, document, tasks

app_name = "video_api"
urlpatterns = [
    path("tasks", tasks.Tasks.as_view(), name="tasks"),
    path("tasks/<uuid:uid>", tasks.Task.as_view(), name="task"),
    path("tasks/<uuid:uid>/claim", tasks.Claim.as_view(), name="claim"),
    path("tasks/<uuid:uid>/sent", tasks.ReportSent.as_view(), name="sent"),
    path("tasks/<uuid:uid>/watched", tasks.ReportWatched.as_view(), name="watched"),
    path("tasks/<uuid:uid>/replied", tasks.ReportReplied.as_view(), name="replied"),
    path("tasks/<uuid:uid>/dismiss", tasks.Dismiss.as_view(), name="dismiss"),
    path("contacts", contacts.Contacts.as_view(), name="contacts"),
    path("staff", tasks.Staff.as_view(), name="staff"),
    path("openapi.json", document.show, name="document"),
    path("try", document.page, name="try"),
]

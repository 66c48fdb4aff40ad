"""What this app announces, always inside the transaction of the change. `integrations` and the API of the video app
listen.

`task_created(tenant_id, thank_you_pks)`: these thank-yous are new.
`task_changed(tenant_id, thank_you_pks)`: these have changed: state, assignee, dates, or their reasons.
`task_progressed(tenant_id, event_pks)`: a video app has said something new of a thank-you; each `VideoEvent` once.
"""

from django.dispatch import Signal

task_created = Signal()
task_changed = Signal()
task_progressed = Signal()

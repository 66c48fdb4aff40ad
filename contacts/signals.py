"""What this app announces, always inside the transaction of the change. `integrations.receivers` listens.

`contacts_changed(tenant_id, uids, cause, is_opt_out)`: these contacts, or what hangs on them, were changed or deleted;
`is_opt_out` when Do Not Contact was set, which overtakes everything else.
`lists_changed(tenant_id, uids, cause)`: these lists were added, renamed, (un)flagged or deleted.
`parts_deleted(uids)`: something that hung on these contacts is gone; sent once it is, for what reads the rest of them.
`cause` is a short sentence for people, such as “Do Not Contact set by Ana Ruiz”.
"""

from django.dispatch import Signal

contacts_changed = Signal()
lists_changed = Signal()
parts_deleted = Signal()

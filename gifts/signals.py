"""What this app announces, always inside the transaction of the change. `tasks_app` and `integrations` listen.

`gifts_changed(tenant_id, contact_uids, gift_pks, cause)`: these gifts were added, changed, refunded, given to another
donor or deleted; `contact_uids` are everybody whose giving that concerns, both donors where a gift changed hands. The
totals of all of them are right already. `cause` is a short sentence for people, such as “Gift added by Ana Ruiz”.
Of a deleted gift it is sent once the row is gone.
"""

from django.dispatch import Signal

gifts_changed = Signal()

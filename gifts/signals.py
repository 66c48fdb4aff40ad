"""What this app announces, always inside the transaction of the change. `tasks_app` and `integrations` listen.

`gifts_changed(tenant_id, contact_uids, gift_pks, cause, is_new)`: these gifts were added (`is_new`), changed, refunded,
given to another donor or deleted; `contact_uids` are everybody whose giving that concerns, both donors where a gift
changed hands. The totals of all of them are right already. `cause` is a short sentence for people, such as “Gift added
by Ana Ruiz”. Of a deleted gift it is sent once the row is gone.

`gifts_to_thank(tenant_id, gift_pks)`: these gifts are new and are gifts of their own: no history, no correction of an
earlier one, not given back. Whether anybody is asked to thank is up to the listener. In the transaction of the gift.

`milestones_reached(tenant_id, awards)`: these `MilestoneReached` were just noted, each the highest that its gift
reached (M6), none of them quiet; with `rule`, `contact` and `gift` loaded. Sent once for each award, in the transaction
that notes it.

`milestones_withdrawn(tenant_id, awards, instead)`: these were announced, and are no longer met (M8): a gift was
refunded, deleted or corrected. `instead` is {number of one of them: the next lower award of the same gift, which still
stands}, where there is one. Should it be met again, nothing is announced anew.
"""

from django.dispatch import Signal

gifts_changed = Signal()
gifts_to_thank = Signal()
milestones_reached = Signal()
milestones_withdrawn = Signal()

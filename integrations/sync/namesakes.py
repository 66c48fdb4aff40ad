"""Lists that exist at the vendor under the name of one that a preview would make there: they can be used instead (L33).

Only looked at and offered here. Once somebody has chosen so and confirmed, push asks for the list of that name before
it would make one, as after an unclear answer.
"""

from integrations.models import RemoteRecord, RunItem, SyncRun
from integrations.provider_kit.base import Can, ListThere, Provider
from integrations.provider_kit.errors import CallFailed, Reconnect
from integrations.provider_kit.states import ListOperation, Verb
from integrations.sync import slices

USE = "use_list"  # the verb of a list that takes over the one there


def look_for(run: SyncRun, provider: Provider) -> None:
    """Note beside each list that would be made there, that one of its name is there already. If the vendor cannot be
    asked now, nothing is offered: the preview does not wait for it."""
    items = {item.label.casefold(): item for item in run.items.filter(verb=Verb.CREATE_LIST, reason_code="")}
    if not items or Can.READ_MEMBERS not in provider.can:
        return
    policy = slices.policy_of(run.connection, run.new_settings)
    ours = set(slices.places_of(run.connection).values())
    try:
        for found in provider.lists_there(policy.container):
            item = items.get(found.name.casefold())
            if item is not None and found.remote_id not in ours:
                uid = str(item.subject_uid)
                wish = ListOperation(Verb.CREATE_LIST, uid, policy.container_of(uid), item.label)
                if provider.find_list(wish) == found.remote_id:
                    offer(item, found, str(run.connection))
    except CallFailed as failure:
        if isinstance(failure.outcome, Reconnect):
            raise


def offer(item: RunItem, found: ListThere, service: str) -> None:
    """Say so in the preview."""
    people = "" if found.members is None else f"{found.members:,} {'person' if found.members == 1 else 'people'}"
    many = f" with {people} on it" if people else ""
    item.reason_code = "name_taken"
    item.reason = f"“{found.name}”{many} is at {service} already, and was not made by Almoner."
    item.save(update_fields=["reason_code", "reason"])


def choose(run: SyncRun, item: RunItem, use_it: bool) -> bool:
    """Use the list that is there, or make a new one after all. Returns whether that could still be chosen."""
    was, now = (Verb.CREATE_LIST, USE) if use_it else (USE, Verb.CREATE_LIST)
    if run.state != SyncRun.State.READY or item.verb != was or item.reason_code != "name_taken":
        return False
    item.verb = now
    item.save(update_fields=["verb"])
    run.counts = {
        verb: count for verb, count in {
            **run.counts, was: run.counts.get(was, 0) - 1, now: run.counts.get(now, 0) + 1,
        }.items() if count > 0
    }  # fmt: skip
    run.save(update_fields=["counts"])
    return True


def take_over(run: SyncRun) -> None:
    """The run is confirmed: have the lists that were chosen looked for before they would be made."""
    chosen = run.items.filter(verb=USE, state=RunItem.State.SHOWN)
    RemoteRecord.objects.filter(pk__in=chosen.values("record")).update(effect=RemoteRecord.Effect.MAYBE)

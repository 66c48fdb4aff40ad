"""The rows of the integrations app, one noun a file."""

from integrations.models.alarm import Alarm
from integrations.models.check import ListCheck
from integrations.models.connection import Connection
from integrations.models.credential import Credential
from integrations.models.delivery import Delivery
from integrations.models.gift_run import GiftRun, GiftRunItem
from integrations.models.heartbeat import Heartbeat
from integrations.models.hook import HookDelivery, OutgoingHook
from integrations.models.quota import Quota, QuotaShare
from integrations.models.remote import RemoteRecord
from integrations.models.run import RunItem, SyncRun
from integrations.models.switch import Switch
from integrations.models.webhook import WebhookEvent

__all__ = [
    "Alarm",
    "Connection",
    "Credential",
    "Delivery",
    "GiftRun",
    "GiftRunItem",
    "Heartbeat",
    "HookDelivery",
    "ListCheck",
    "OutgoingHook",
    "Quota",
    "QuotaShare",
    "RemoteRecord",
    "RunItem",
    "Switch",
    "SyncRun",
    "WebhookEvent",
]

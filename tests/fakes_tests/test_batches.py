"""Batch operations: through all states, results in a tar.gz behind a short-lived link."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

import pytest
import requests

from tests.fakes_tests.api import ANN, JOE, Api, md5
from tests.fakes_tests.receiver import Receiver


def submit(api: Api, operations: list[dict[str, Any]]) -> dict[str, Any]:
    answer = api.post("/batches", {"operations": operations})
    assert answer.status_code == 200, answer.text
    return answer.json()


def finished(api: Api, batch_id: str) -> dict[str, Any]:
    states = []
    for _ in range(1000):
        batch = api.get(f"/batches/{batch_id}")
        states.append(batch["status"])
        if batch["status"] == "finished":
            known = ["pending", "preprocessing", "started", "finalizing", "finished"]
            assert sorted(set(states), key=known.index) == list(dict.fromkeys(states))
            return batch
        time.sleep(0.005)
    raise AssertionError(states)


def results(url: str) -> dict[str, dict[str, Any]]:
    with tarfile.open(fileobj=io.BytesIO(requests.get(url, timeout=20).content), mode="r:gz") as tar:
        names = tar.getnames()
        assert names[0] in (".", "./")
        files = [tar.extractfile(each) for each in tar.getmembers() if each.isfile()]
        return {each["operation_id"]: each for file in files if file for each in json.load(file)}


def put(email: str, number: int, audience: str) -> dict[str, Any]:
    body = json.dumps({"email_address": email, "status_if_new": "subscribed"})
    path = f"lists/{audience}/members/{md5(email)}"
    return {"method": "PUT", "path": path, "operation_id": f"op-{number}", "body": body}


def test_a_batch_runs_through_its_states_and_finished_is_not_success(api: Api) -> None:
    operations = [put(JOE, 1, api.audience.id), put("x@example.com", 2, api.audience.id)]
    batch = submit(api, operations)
    assert batch["status"] == "pending" and batch["completed_at"] == "" and batch["response_body_url"] == ""
    batch = finished(api, batch["id"])
    assert (batch["total_operations"], batch["finished_operations"], batch["errored_operations"]) == (2, 2, 1)
    found = results(batch["response_body_url"])
    assert found["op-1"]["status_code"] == 200
    assert json.loads(found["op-1"]["response"])["email_address"] == JOE
    assert found["op-2"]["status_code"] == 400 and "looks fake" in found["op-2"]["response"]


def test_results_come_in_no_order(api: Api) -> None:
    batch = submit(api, [put(f"p{n}@rivermail.test", n, api.audience.id) for n in range(50)])
    keys = list(results(finished(api, batch["id"])["response_body_url"]))
    assert len(keys) == 50 and keys != sorted(keys, key=lambda key: int(key[3:]))


def test_a_link_lives_ten_minutes_and_reading_again_gives_a_new_one(api: Api) -> None:
    batch_id = submit(api, [put(JOE, 1, api.audience.id)])["id"]
    url = finished(api, batch_id)["response_body_url"]
    api.sandbox.clock_ahead_s = 601
    assert requests.get(url, timeout=20).status_code == 403
    assert results(api.get(f"/batches/{batch_id}")["response_body_url"])
    assert requests.get(url.replace("Signature=", "Signature=0"), timeout=20).status_code == 403


def test_a_get_without_a_count_reads_all_pages(api: Api) -> None:
    api.act("holder", "add_crowd", count=19)
    path = f"lists/{api.audience.id}/members"
    batch = finished(api, submit(api, [{"method": "GET", "path": path}])["id"])
    assert batch["finished_operations"] == batch["total_operations"] == 3


@pytest.mark.parametrize(
    "operation", [{"method": "PUT"}, {"method": "LEAP", "path": "x"}, {"method": "PUT", "path": "x", "body": {"a": 1}}]
)
def test_a_misshapen_operation_is_refused(api: Api, operation: dict[str, Any]) -> None:
    assert api.post("/batches", {"operations": [operation]}).status_code == 400


def test_too_many_pending_batches_are_refused(api: Api) -> None:
    api.control("options", {"pending_batches": 1, "batch_step_s": 0.2})
    first = submit(api, [put(JOE, 1, api.audience.id)])
    refused = api.post("/batches", {"operations": [put(ANN, 1, api.audience.id)]})
    assert refused.status_code == 429 and "pending" in refused.json()["detail"]
    assert api.delete(f"/batches/{first['id']}").status_code == 204
    assert api.call("GET", f"/batches/{first['id']}").status_code == 404
    assert api.get("/batches")["total_items"] == 0


def test_a_batch_webhook_is_told_when_it_is_done(api: Api, receiver: Receiver) -> None:
    assert api.post("/batch-webhooks", {"url": receiver.url}).json()["enabled"] is True
    batch = finished(api, submit(api, [put(JOE, 1, api.audience.id)])["id"])
    for _ in range(200):
        if receiver.received:
            break
        time.sleep(0.01)
    form = receiver.received[0].form
    assert form["type"] == "batch_operation_completed" and form["data[id]"] == batch["id"]
    receiver.get_status = 500
    assert api.post("/batch-webhooks", {"url": receiver.url + "2"}).status_code == 400

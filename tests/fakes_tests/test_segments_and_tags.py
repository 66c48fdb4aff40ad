"""A tag and a static segment are one thing with one id."""

from __future__ import annotations

import pytest

from tests.fakes_tests.api import ANN, JOE, Api


def segment(api: Api, name: str = "Volunteers", people: tuple[str, ...] = ()) -> int:
    answer = api.post(f"{api.list}/segments", {"name": name, "static_segment": list(people)})
    assert answer.status_code == 200, answer.text
    return int(answer.json()["id"])


def test_a_segment_is_the_tag_of_the_same_name(api: Api) -> None:
    number = segment(api)
    api.add()
    body = {"tags": [{"name": "volunteers", "status": "active"}], "is_syncing": True}
    assert api.post(api.member(JOE) + "/tags", body).status_code == 204
    assert api.get(api.member(JOE))["tags"] == [{"id": number, "name": "Volunteers"}]
    assert api.get(f"{api.list}/segments/{number}")["member_count"] == 1
    assert api.get(f"{api.list}/segments/{number}/members")["members"][0]["email_address"] == JOE
    assert api.get(api.member(JOE) + "/tags")["tags"][0]["id"] == number


def test_an_active_tag_nobody_knew_is_made_and_an_inactive_one_is_not(api: Api) -> None:
    api.add()
    tags = [{"name": "New", "status": "active"}, {"name": "Never", "status": "inactive"}]
    assert api.post(api.member(JOE) + "/tags", {"tags": tags}).status_code == 204
    assert api.get(f"{api.list}/tag-search", name="ne")["tags"][0]["name"] == "New"
    assert api.get(f"{api.list}/tag-search", name="ne")["total_items"] == 1
    assert api.post(api.member(JOE) + "/tags", {"tags": []}).status_code == 204


def test_people_are_added_and_removed_in_numbers_and_unknown_ones_ignored(api: Api) -> None:
    number = segment(api)
    api.add(JOE)
    api.add(ANN)
    path = f"{api.list}/segments/{number}"
    added = api.post(path, {"members_to_add": [JOE, ANN, "nobody@rivermail.test"]}).json()
    assert (added["total_added"], added["error_count"], added["errors"]) == (2, 0, [])
    removed = api.post(path, {"members_to_remove": [JOE, "nobody@rivermail.test"]}).json()
    assert (removed["total_removed"], removed["members_removed"][0]["email_address"]) == (1, JOE)
    assert api.held(ANN)["tags"] == ["Volunteers"]


def test_at_most_500_addresses_at_a_time(api: Api) -> None:
    path = f"{api.list}/segments/{segment(api)}"
    many = [f"p{n}@rivermail.test" for n in range(501)]
    assert api.post(path, {"members_to_add": many}).status_code == 400
    assert api.post(path, {"members_to_add": many[:500]}).status_code == 200


def test_a_renamed_tag_keeps_its_people_and_a_deleted_one_leaves_them(api: Api) -> None:
    api.add()
    number = segment(api, people=(JOE,))
    path = f"{api.list}/segments/{number}"
    assert api.patch(path, {"name": "Helpers"}).json()["name"] == "Helpers"
    assert api.held(JOE)["tags"] == ["Helpers"]
    assert api.delete(path).status_code == 204
    assert api.call("GET", path).status_code == 404
    assert api.held(JOE)["tags"] == []


def test_two_tags_never_share_a_name(api: Api) -> None:
    segment(api)
    answer = api.post(f"{api.list}/segments", {"name": "VOLUNTEERS", "static_segment": []})
    assert answer.status_code == 400 and answer.json()["detail"] == "Sorry, that tag already exists."


def test_the_holder_renames_and_deletes_tags_too(api: Api) -> None:
    api.act("holder", "rename_tag", tag="Spring Gala", new_name="Gala 2026")
    assert api.get(f"{api.list}/segments", type="static")["segments"][0]["name"] == "Gala 2026"
    api.act("holder", "delete_tag", tag="Gala 2026")
    assert api.get(f"{api.list}/segments")["total_items"] == 0


@pytest.mark.parametrize("body", [{"tags": [{"name": "A"}]}, {"tags": "A"}, {}, {"tags": [{"name": "A", "status": 1}]}])
def test_a_misshapen_tag_request_is_refused(api: Api, body: dict[str, object]) -> None:
    api.add()
    assert api.post(api.member(JOE) + "/tags", body).status_code == 400


def test_fifty_tags_are_shown_and_all_are_counted(api: Api) -> None:
    api.add(tags=[f"T{n}" for n in range(60)])
    member = api.get(api.member(JOE))
    assert (len(member["tags"]), member["tags_count"]) == (50, 60)
    assert api.get(api.member(JOE) + "/tags", count=100)["total_items"] == 60

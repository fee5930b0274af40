"""Comments and tasks on records, and the log that shows them with the record's creation (contracts: giav 2.11)."""

from __future__ import annotations

from sandbox.giav.books import Books, Call, Operation, as_date, as_moment
from sandbox.giav.records import Record
from sandbox.giav.refusals import missing, obligatory
from sandbox.giav.search import Filters, contains, moment_from, moment_to, one_of, page, search, yes_no


def _target(books: Books, target: str | None, id_: int) -> str:
    """The key of the record that a note hangs on; refuses a record that does not exist."""
    if target is None or target not in books.records.entities or books.records.get(target, id_) is None:
        raise missing(target or "registro", id_)
    return f"{target}:{id_}"


def _comment(books: Books, call: Call) -> int:
    target = _target(books, call["targetClass"], call["classId"])
    if not call.get("body"):
        raise obligatory("texto del comentario")
    return books.records.add(
        "Message",
        {
            "EventLogItemType": "Comment",
            "ClassFullName": f"Giav.Core.Business.{call['targetClass']}",
            "ClassId": call["classId"],
            "IdUsuario": 1,
            "UserName": "api",
            "Body": call["body"],
            "CreationDate": books.now(),
            "target": target,
        },
    )


def _comments(books: Books, call: Call) -> list[Record]:
    wish = {**call, "target": _target(books, call["targetClass"], call["classId"])}
    return search(books, "Message", COMMENT_FILTERS, wish, modifiers=("targetClass", "classId"))


def _activity(books: Books, call: Call) -> int:
    """A task, for a record that exists; refuses a deadline that is no day."""
    target = _target(books, call.get("targetClass"), call["classId"])
    if not call.get("summary"):
        raise obligatory("asunto de la actividad")
    due = call.get("deadlineDate")
    return books.records.add(
        "Activity",
        {
            "Type": call["type"],
            "EventLogItemType": "Activity",
            "ClassFullName": f"Giav.Core.Business.{call['targetClass']}",
            "ClassId": call["classId"],
            "CreationDate": books.now(),
            "CreationUserId": 1,
            "CreationUserName": "api",
            "AssignedUserId": call.get("assignedUserId"),
            "Summary": call["summary"],
            "Body": call.get("body"),
            "DeadlineDate": as_moment(as_date(due, "deadlineDate")) if due else None,
            "ReminderMinutes": _minutes(call.get("reminderMinutes")),
            "ReminderByMail": call["reminderByMail"],
            "FechaModificacion": books.now(),
            "targetClass": call["targetClass"],
            "target": target,
        },
    )


def _minutes(advance: str | None) -> int | None:
    """How long before the deadline `ReminderAdvance` reminds: a unit and a count in, minutes out."""
    if advance is None:
        return None
    unit = advance.rstrip("0123456789")
    return _UNITS[unit] * int(advance.removeprefix(unit) or "0")


def _activities(books: Books, call: Call) -> list[Record]:
    return search(books, "Activity", ACTIVITY_FILTERS, call)


def _log(books: Books, call: Call) -> list[Record]:
    """Creation, comments and activities of a record, oldest first."""
    target = _target(books, call["targetClass"], call["classId"])
    record = books.demand(call["targetClass"], call["classId"])
    created = {"ItemType": "Audit", "Subject": "Alta", "CreationDate": record.get("FechaCreacion"), "UserName": "api"}
    comments = [
        {"ItemType": "Comment", "Body": each["Body"], "CreationDate": each["CreationDate"], "UserName": "api"}
        for each in books.records.having("Message", "target", target)
    ]
    activities = [
        {
            "ItemType": "Activity",
            "Subject": each["Summary"],
            "Body": each.get("Body"),
            "CreationDate": each["CreationDate"],
            "UserName": "api",
        }
        for each in books.records.having("Activity", "target", target)
    ]
    since = call.get("dateFrom") or ""
    items = sorted([created, *comments, *activities], key=lambda item: item["CreationDate"] or "")
    return page(call, [item for item in items if (item["CreationDate"] or "") >= since])


COMMENT_FILTERS: Filters = {
    "target": one_of("target"),
    "creationDateFrom": moment_from("CreationDate"),
    "creationDateTo": moment_to("CreationDate"),
}
ACTIVITY_FILTERS: Filters = {
    "idsActivities": one_of("Id"),
    "types": one_of("Type"),
    "summary": contains("Summary"),
    "targetClass": one_of("targetClass"),
    "filerClassId": one_of("ClassId"),
    "deadlineDateFrom": moment_from("DeadlineDate", date_only=True),
    "deadlineDateTo": moment_to("DeadlineDate", date_only=True),
    "completionDateFrom": moment_from("CompletionDate", date_only=True),
    "completionDateTo": moment_to("CompletionDate", date_only=True),
    "completed": yes_no(lambda _, activity: activity.get("CompletionDate") is not None),
    "modificationDateHourFrom": moment_from("FechaModificacion"),
    "modificationDateHourTo": moment_to("FechaModificacion"),
}
_UNITS = {"OnTime": 0, "Minutes": 1, "Hours": 60, "Days": 24 * 60, "Weeks": 7 * 24 * 60}

OPERATIONS: dict[str, Operation] = {
    "Message_Comment_POST": _comment,
    "Message_SEARCH": _comments,
    "Activity_POST": _activity,
    "Activity_SEARCH": _activities,
    "EventLog_SEARCH": _log,
}

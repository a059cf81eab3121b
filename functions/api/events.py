"""HTTP: events, newest first, and the notes among them."""

from http import HTTPStatus
from typing import Annotated

from pydantic import Field

from functions.api.paging import ListPage
from functions.http.derived_models import derive_model, shown
from functions.http.endpoint import Call, EndpointGroup
from functions.http.parameters import NoParameters, Who
from functions.http.reply import Reply, listing, listing_of
from shared.bootstrap import app
from shared.domain.event import LONGEST, SYSTEM, Event
from shared.domain.validation import Lines, Model, Moment

group = EndpointGroup("Events")
endpoint = group.endpoint

CREATED, NO_CONTENT, CONFLICT = HTTPStatus.CREATED, HTTPStatus.NO_CONTENT, HTTPStatus.CONFLICT
Message = Annotated[Lines, Field(min_length=1, max_length=LONGEST)]

EventBody = derive_model("EventBody", Event, more={"id": str})


class NewNoteBody(Model):
    """A note that a person adds; ``at`` is now by default."""

    message: Message
    by: Who = ""
    at: Moment | None = None


class NoteChangeBody(Model):
    """The new message of a note."""

    message: Message


@endpoint("GET", "events", listing_of(EventBody), query=ListPage)
def list_system_events(call: Call[ListPage, Model]) -> Model:
    """List the events of the system as a whole, newest first."""
    return _listed(SYSTEM, call.query)


@endpoint("GET", "templates/{template}/events", listing_of(EventBody), query=ListPage)
def list_events(call: Call[ListPage, Model]) -> Model:
    """List a template's events, newest first."""
    return _listed(call.path["template"], call.query)


@endpoint("POST", "templates/{template}/events", EventBody, status=CREATED, body=NewNoteBody)
def add_note(call: Call[NoParameters, NewNoteBody]) -> Reply:
    """Add a note to a template's events."""
    note = app().notes.add(call.path["template"], call.body.message, call.by(call.body.by), call.body.at)
    return Reply(_event(note), CREATED, location=f"templates/{note.subject}/events/{note.id}")


@endpoint("GET", "templates/{template}/events/{event}", EventBody)
def get_event(call: Call[NoParameters, Model]) -> Model:
    """Return one event of a template."""
    return _event(app().queries.event(call.path["template"], call.path["event"]))


@endpoint("PATCH", "templates/{template}/events/{event}", EventBody, body=NoteChangeBody, conditional=True)
def change_note(call: Call[NoParameters, NoteChangeBody]) -> Model:
    """Change a note's message; an event that is no note cannot be changed."""
    return _event(
        app().notes.change(
            call.path["template"],
            call.path["event"],
            call.body.message,
            lambda seen: call.check_unchanged(_event(seen)),
        )
    )


@endpoint("DELETE", "templates/{template}/events/{event}", None, status=NO_CONTENT, conditional=True)
def delete_note(call: Call[NoParameters, Model]) -> None:
    """Delete a note; an event that is no note cannot be deleted."""
    app().notes.remove(call.path["template"], call.path["event"], lambda seen: call.check_unchanged(_event(seen)))


def _listed(subject: str, query: ListPage) -> Model:
    page = app().queries.events(subject, query.limit, query.continuation)
    return listing(tuple(_event(one) for one in page), page.continuation)


def _event(event: Event) -> Model:
    return shown(EventBody, event, id=event.id)

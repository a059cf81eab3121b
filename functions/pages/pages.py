"""HTTP: what an operator looks at; each page parses, calls one use case, and renders what it found."""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from http import HTTPStatus
from itertools import pairwise
from typing import Any
from urllib.parse import urlencode

from functions.api.alarms import AlarmsAsked, JournalAsked, alarm_etag
from functions.http.assets import FOREVER, asset
from functions.http.endpoint import Call
from functions.http.parameters import KEY_IN_QUERY, MomentText, NoParameters, Parameters
from functions.http.reply import Reply
from functions.http.time_range import AsOf, as_of, moment_of
from functions.pages.channel_words import channel_rows, rests_on
from functions.pages.drawing import arrow_length, elevation, from_north, plan, rate_plan, rate_steps, shade
from functions.pages.page import Pages, shown
from functions.pages.words import name_of, overview_level, overview_sentence, sentence
from shared.bootstrap import app
from shared.detection import Fault
from shared.domain.deviation import Level
from shared.domain.kept import sentences
from shared.domain.mark import VERDICT_WORDS
from shared.domain.place_modes import modes_of
from shared.domain.proof_test_words import words_of
from shared.domain.suppression import OPERATION_WORDS
from shared.domain.tsd import floor_to_bucket
from shared.domain.validation import Model
from shared.ports import Registration
from shared.settings import settings
from shared.usecases.queries.page_views import MOST_COMPARED
from shared.usecases.queries.template_status import ALARM, SensorStatus

site = Pages()
blueprint, page = site.blueprint, site.page


class OverviewQuery(Parameters):
    """How the overview is shown: ``wall=1`` for a screen on the wall; a page takes any other value for none."""

    wall: str = ""


@page("/", query=OverviewQuery, access="anyone")
def root(call: Call[OverviewQuery, Model]) -> Reply:
    """Send on to the overview, with the platform's key and how it is shown; nothing is read, so nobody is asked."""
    kept = {name: value for name, value in call.request.params.items() if name in ("wall", KEY_IN_QUERY)}
    return Reply(None, HTTPStatus.FOUND, headers={"Location": f"overview?{urlencode(kept)}" if kept else "overview"})


@page("overview", query=OverviewQuery)
def overview(call: Call[OverviewQuery, Model]) -> Reply:
    """Return the page of all templates by platform, the most urgent of each first."""
    found = app().page_views.overview()
    return _shown(
        "overview.html",
        wall=call.query.wall == "1",
        platforms=found.platforms,
        unreadable=found.unreadable,
        alarms=sum(one.urgency == ALARM for one in found.states),
        level=overview_level(found.states, found.unreadable),
        sentence=overview_sentence(found.states),
    )


@page("templates/{template}", query=AsOf)
def template(call: Call[AsOf, Model]) -> Reply:
    """Return a template's page: where its sensors are and what they read, and where a leak may be; as of any moment."""
    moment = as_of(call.query)
    views, asked = app().page_views, call.path["template"]
    found = views.template(asked) if moment is None else views.template_as_of(asked, moment)
    one, current, answer = found.state.template, found.current, found.answer
    incident = found.state.incident
    return _shown(
        "template.html",
        page=found,
        moment=moment,
        state=found.state,
        template=one,
        name=name_of(found.state.platform, one),
        answer=answer,
        sentence=sentence(found.state.platform, one, incident, answer) if incident else "",
        operations=OPERATION_WORDS,
        plan=plan(one, answer),
        elevation=elevation(one, answer),
        states=_levels(found.state.sensors),
        north=from_north(one, 0),
        flow=(from_north(one, current.direction), arrow_length(current)) if current else None,
    )


@page("templates/{template}/what-if")
def what_if(call: Call[NoParameters, Model]) -> Reply:
    """Return the form that simulates a leak at a template."""
    found = app().page_views.template(call.path["template"])
    one = found.state.template
    return _shown(
        "what_if.html",
        state=found.state,
        template=one,
        name=name_of(found.state.platform, one),
        plan=plan(one, None),
        elevation=elevation(one, None),
        states=_levels(found.state.sensors),
        north=from_north(one, 0),
        flow=(from_north(one, found.current.direction), arrow_length(found.current)) if found.current else None,
        current=found.current,
        now=app().clock.now(),
        most_days=settings().query.max_simulated_days,
    )


@page("templates/{template}/performance")
def performance(call: Call[NoParameters, Model]) -> Reply:
    """Return a template's performance statement, to be printed: the newest, and beside it the one before."""
    found = app().performance.view(call.path["template"])
    one, kept = found.template, found.statements
    maps = [said.map if said else None for said in (kept.newest, kept.before)] if kept else [None, None]
    steps = rate_steps(*(one for one in maps if one))
    plans = [
        [(z, rate_plan(found.template, rates, k, steps)) for k, z in enumerate(rates.z)] if rates else []
        for rates in maps
    ]
    proof = app().proof_tests.view(one.id)
    return _shown(
        "performance.html",
        proof=proof,
        proof_words=words_of,
        closed_in_part=found.closed_in_part,
        stale=found.stale,
        template=one,
        platform=found.platform,
        name=name_of(found.platform, one),
        newest=kept.newest if kept else None,
        before=kept.before if kept else None,
        changes=kept.changes if kept else (),
        plans=plans[0],
        plans_before=plans[1],
        steps=[(low, high, shade(low, steps)) for low, high in pairwise(steps)],
        north=from_north(one, 0),
        now=app().clock.now(),
    )


@page("incidents/{incident}", query=AsOf)
def incident(call: Call[AsOf, Model]) -> Reply:
    """Return an incident's page: what happened, where, how much, since when, and how sure that is; as of any moment."""
    return _incident("incident.html", call)


@page("incidents/{incident}/report", query=AsOf)
def report(call: Call[AsOf, Model]) -> Reply:
    """Return the report of an incident for an authority, to be printed and signed."""
    return _incident("report.html", call)


def _incident(file: str, call: Call[AsOf, Model]) -> Reply:
    moment = as_of(call.query)
    found = app().incident_views.incident(call.path["incident"], moment)
    incident, answer = found.incident, found.answer
    suppressed = app().suppression_queries.suppressing([found.alarm], moment)[0] if found.alarm else ()
    return _shown(
        file,
        page=found,
        moment=moment,
        incident=incident,
        alarm=found.alarm,
        suppressed=suppressed,
        etag=alarm_etag(found.alarm, suppressed) if found.alarm else "",
        response=app().alarm_queries.response(found.alarm) if found.alarm else "",
        template=found.template,
        platform=found.platform,
        name=name_of(found.platform, found.template),
        sentence=sentence(found.platform, found.template, incident, answer, found.alarm),
        answer=answer,
        steps=found.steps,
        plan=plan(found.template, answer),
        elevation=elevation(found.template, answer),
        states=_levels(found.sensors),
        modes=modes_of(found.template, answer.places) if answer else (),
        north=from_north(found.template, 0),
        chart_from=incident.onset - timedelta(days=1),
        chart_to=incident.last_critical + timedelta(days=1),
        now=app().clock.now(),
    )


@page("sensors/{sensor}")
def sensor(call: Call[NoParameters, Model]) -> Reply:
    """Return a sensor's page: its history, its baseline in use, the quality of its data, and the feedback on it."""
    found = app().page_views.sensor(call.path["sensor"])
    return _shown(
        "sensor.html",
        page=found,
        state=found.state,
        sensor=found.state.sensor,
        template=found.template,
        name=name_of(found.platform, found.template),
        rests_on=rests_on(found.state, found.baseline),
        channels=tuple(channel_rows(found.baseline)) if found.baseline else (),
        usual=found.baseline.usual if found.baseline else None,
        quality=found.quality,
        verdicts=VERDICT_WORDS,
    )


class Compared(Parameters):
    """The sensors to be compared, by their ids, with commas between them."""

    sensors: str = ""


@page("compare", query=Compared)
def compare(call: Call[Compared, Model]) -> Reply:
    """Return the page that draws any sensors of any templates on one time axis."""
    found = app().page_views.comparison([one for one in re.split(r"[\s,]+", call.query.sensors) if one])
    return _shown(
        "compare.html",
        page=found,
        chosen=[one.id for one in found.sensors],
        most=MOST_COMPARED,
    )


@page("alarms", query=AlarmsAsked)
def alarms(call: Call[AlarmsAsked, Model]) -> Reply:
    """Return the page of the alarms of all platforms, newest onset first."""
    asked, queries = call.query, app().alarm_queries
    found = queries.alarms(asked.filter(), asked.limit, asked.continuation)
    suppressed = app().suppression_queries.suppressing(found, None)
    known = app().registry.platforms()
    return _shown(
        "alarms.html",
        alarms=[
            (one, alarm_etag(one, by), queries.response(one), by) for one, by in zip(found, suppressed, strict=True)
        ],
        figures=queries.figures(app().clock.now()),
        more=_next(call, found.continuation),
        asked=asked,
        given=_given(call),
        names=_names(known),
        platforms=[one.platform for one in known],
    )


@page("journal", query=JournalAsked)
def journal(call: Call[JournalAsked, Model]) -> Reply:
    """Return the page of what was said to people and what people did, newest first."""
    asked = call.query
    found = app().alarm_queries.entries(asked.filter(), asked.limit, asked.continuation)
    known = app().registry.platforms()
    return _shown(
        "journal.html",
        entries=found,
        more=_next(call, found.continuation),
        asked=asked,
        given=_given(call),
        names=_names(known),
        platforms=[one.platform for one in known],
    )


class HandoverAsked(Parameters):
    """When the shift began."""

    since: MomentText | None = None


SHIFT = timedelta(hours=12)


@page("handover", query=HandoverAsked)
def handover(call: Call[HandoverAsked, Model]) -> Reply:
    """Return what a shift hands over to the next one: what was said and done since it began, and what stands."""
    since = moment_of("since", call.query.since) or floor_to_bucket(app().clock.now()) - SHIFT
    known = app().registry.platforms()
    return _shown(
        "handover.html",
        shift=app().handovers.since(since),
        names=_names(known),
        suppressions=app().suppression_queries.lasting(),
        templates=[(platform.platform, one) for platform in known for one in platform.platform.templates],
    )


def _names(known: Sequence[Registration]) -> Mapping[str, str]:
    """Return the names of all templates as people say them, by id."""
    return {one.id: name_of(record.platform, one) for record in known for one in record.platform.templates}


def _given(call: Call[Any, Model]) -> Mapping[str, str]:
    """Return what the query asks for, to be asked of the API, too."""
    kept = call.query.model_dump(by_alias=True, exclude_none=True, exclude={"continuation"}, mode="json")
    return {name: str(value) for name, value in kept.items()}


def _next(call: Call[Any, Model], continuation: str | None) -> str:
    """Return the query of the next page; empty where there is none."""
    return urlencode({**_given(call), "continuation": continuation}) if continuation else ""


@page("assets/{asset}", access="anyone")
def assets(call: Call[NoParameters, Model]) -> Reply:
    """Return a script or style, to be kept; it holds nothing of platforms or sensors."""
    content, kind = asset(call.path["asset"])
    return Reply(content, media_type=kind, headers={"Cache-Control": FOREVER})


def _levels(sensors: Sequence[SensorStatus]) -> dict[str, str]:
    return {one.sensor.id: one.level.word for one in sensors}


def _shown(file: str, **values: object) -> Reply:
    return shown(
        file, {"as_of": settings().as_of, "kept": sentences(app().kept), "Level": Level, "Fault": Fault, **values}
    )

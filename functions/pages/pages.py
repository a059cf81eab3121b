"""HTTP: what an operator looks at; each page parses, calls one use case, and renders what it found."""

from datetime import timedelta

from functions.http.assets import FOREVER, asset
from functions.http.endpoint import Call
from functions.http.parameters import NoParameters
from functions.http.reply import Reply
from functions.pages.channel_words import channel_rows, rests_on
from functions.pages.drawing import arrow_length, elevation, from_north, plan
from functions.pages.page import Pages, shown
from functions.pages.words import name_of, overview_level, overview_sentence, sentence
from shared.bootstrap import app
from shared.detection import Fault
from shared.domain.deviation import Level
from shared.domain.validation import Model
from shared.settings import settings
from shared.usecases.queries.template_status import ALARM

site = Pages()
blueprint, page = site.blueprint, site.page


@page("overview")
def overview(call: Call[NoParameters, Model]) -> Reply:  # noqa: ARG001
    """Return the page of all templates, the most urgent first."""
    found = app().page_views.overview()
    return _shown(
        "overview.html",
        states=found.states,
        unreadable=found.unreadable,
        alarms=sum(one.urgency == ALARM for one in found.states),
        level=overview_level(found.states, found.unreadable),
        sentence=overview_sentence(found.states),
    )


@page("templates/{template}")
def template(call: Call[NoParameters, Model]) -> Reply:
    """Return a template's page: where its sensors are and what they read, and where a leak may be."""
    found = app().page_views.template(call.path["template"])
    answer = found.estimation.estimation if found.estimation else None
    one, current = found.state.template, found.current
    return _shown(
        "template.html",
        page=found,
        state=found.state,
        template=one,
        name=name_of(found.state.platform, one),
        answer=answer,
        sentence=sentence(found.state.platform, one, found.state.incident, answer) if found.state.incident else "",
        plan=plan(one, answer),
        elevation=elevation(one, answer),
        states={each.sensor.id: each.level.word for each in found.state.sensors},
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
        north=from_north(one, 0),
        flow=(from_north(one, found.current.direction), arrow_length(found.current)) if found.current else None,
        current=found.current,
        now=app().clock.now(),
        most_days=settings().query.max_simulated_days,
    )


@page("incidents/{incident}")
def incident(call: Call[NoParameters, Model]) -> Reply:
    """Return an incident's page: what happened, where, how much, since when, and how sure that is."""
    found = app().page_views.incident(call.path["incident"])
    answer = found.estimation.estimation if found.estimation else None
    return _shown(
        "incident.html",
        page=found,
        incident=found.incident,
        template=found.template,
        name=name_of(found.platform, found.template),
        sentence=sentence(found.platform, found.template, found.incident, answer),
        answer=answer,
        steps=found.estimation.history[::-1] if found.estimation else (),
        plan=plan(found.template, answer),
        elevation=elevation(found.template, answer),
        north=from_north(found.template, 0),
        chart_from=found.incident.onset - timedelta(days=1),
        chart_to=found.incident.last_critical + timedelta(days=1),
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
    )


@page("assets/{asset}", access="anyone")
def assets(call: Call[NoParameters, Model]) -> Reply:
    """Return a script or style, to be kept; it holds nothing of platforms or sensors."""
    content, kind = asset(call.path["asset"])
    return Reply(content, media_type=kind, headers={"Cache-Control": FOREVER})


def _shown(file: str, **values: object) -> Reply:
    return shown(file, {"as_of": settings().as_of, "Level": Level, "Fault": Fault, **values})

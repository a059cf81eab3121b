"""The API as a whole: who gets in, what is not there, other origins' pages, and the page that documents it."""

import hashlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from functions.http import assets
from functions.http.access import AUTHENTICATION_ON
from functions.http.assets import ASSETS, SCRIPTS, STATIC, asset, asset_name, page
from local.azurite import Azurite
from shared.errors import NotFound
from tests.support.http_calls import signed_in
from tests.support.http_host import FilledHost, filled_host
from tests.support.pages import Visit, wait_live

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = [pytest.mark.azurite, pytest.mark.xdist_group("http_service")]

ORIGIN = "https://pages.example"
KEY = "the-key"


@pytest.fixture(scope="module")
def guarded(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHost]:
    """A host that wants a key, and knows one origin."""
    folder = tmp_path_factory.mktemp("guarded")
    origins = {"HTTP__CORS_ORIGINS": f'["{ORIGIN}"]'}
    with filled_host(azurite.connection_string, "guarded", folder, "--key", KEY, **origins) as running:
        yield running


@pytest.fixture(scope="module")
def entra(azurite: Azurite, tmp_path_factory: pytest.TempPathFactory) -> Iterator[FilledHost]:
    """A host behind App Service authentication."""
    settings = {"HTTP__AUTH": "entra", AUTHENTICATION_ON: "True"}
    with filled_host(azurite.connection_string, "entra", tmp_path_factory.mktemp("entra"), **settings) as found:
        yield found


def test_without_the_key_nothing_is_told_but_how_it_is(guarded: FilledHost) -> None:
    """Health, the contract and its page are for anyone; the rest is for who has the key."""
    for path in ("health", "openapi.json", "docs"):
        assert guarded.ask("GET", path).status_code == 200
    assert requests.get(f"{guarded.url}/assets/{asset_name('docs.js')}", timeout=30).status_code == 200
    assert requests.get(f"{guarded.url}/overview", timeout=30).status_code == 401
    assert guarded.ask("GET", "platforms").status_code == 401
    assert guarded.ask("DELETE", "platforms/snorre?force=true").status_code == 401
    assert guarded.ask("GET", "platforms", headers={"x-functions-key": KEY}).status_code == 200
    assert requests.get(f"{guarded.url}/api/platforms?code={KEY}", timeout=30).status_code == 200
    assert requests.get(f"{guarded.url}/api/platforms?code=wrong", timeout=30).status_code == 401


def test_roles_say_who_reads_and_who_changes(entra: FilledHost) -> None:
    """With Entra ID a stranger is asked to sign in, a reader reads, and an operator changes."""
    reader, operator, nobody = (signed_in(role) for role in ("Reader", "Operator", "Other"))
    asked = entra.ask("GET", "platforms")
    assert (asked.status_code, asked.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert entra.ask("GET", "platforms", headers=nobody).status_code == 403
    assert entra.ask("GET", "platforms", headers=reader).status_code == 200
    refused = entra.ask("PUT", "sensors/snorre-w-1/pin", headers=reader)
    assert (refused.status_code, "Operator" in refused.json()["detail"]) == (403, True)
    assert entra.ask("PUT", "sensors/snorre-w-1/pin", headers=operator).status_code == 200
    schemes = entra.contract.document["components"]["securitySchemes"]
    assert schemes["entra"]["scheme"] == "bearer"


def test_forged_roles_get_nobody_in(azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """With Entra ID wanted, but nothing in front of the app, a header that says Operator opens nothing."""
    with filled_host(azurite.connection_string, unique, tmp_path, HTTP__AUTH="entra") as bare:
        forged = signed_in("Operator")
        refused = bare.ask("DELETE", "platforms/snorre?force=true", headers=forged)
        assert (refused.status_code, refused.json()["type"]) == (503, "urn:subsea-leak-detection:authentication-off")
        page = requests.get(f"{bare.url}/overview", headers=forged, timeout=30)
        assert (page.status_code, "authentication is off" in page.text) == (503, True)
        assert bare.ask("GET", "health").status_code == 200


def test_a_known_origins_page_may_call(guarded: FilledHost) -> None:
    """Its preflight says what it may send; the answer lets it read. Another origin's gets neither."""
    url = f"{guarded.url}/api/sensors/snorre-w-1"
    asked = {"Origin": ORIGIN, "Access-Control-Request-Method": "PATCH"}
    answer = requests.options(url, headers=asked, timeout=30)
    assert answer.status_code == 204
    assert answer.headers["Access-Control-Allow-Origin"] == ORIGIN
    assert answer.headers["Access-Control-Allow-Methods"] == "DELETE, GET, HEAD, PATCH"
    assert "If-Match" in answer.headers["Access-Control-Allow-Headers"]
    read = requests.get(url, headers={"Origin": ORIGIN, "x-functions-key": KEY}, timeout=30)
    assert (read.headers["Access-Control-Allow-Origin"], read.headers["Vary"]) == (ORIGIN, "Origin")
    for other in (requests.options(url, headers=asked | {"Origin": "https://evil.example"}, timeout=30), answer):
        assert other.headers.get("Access-Control-Allow-Origin") in (None, ORIGIN)
    stranger = requests.get(url, headers={"Origin": "https://evil.example", "x-functions-key": KEY}, timeout=30)
    assert "Access-Control-Allow-Origin" not in stranger.headers


def test_what_is_not_there_is_a_problem_too(host: FilledHost) -> None:
    """An unknown path, and a method that a path does not have."""
    lost = requests.get(f"{host.url}/api/nothing/here", timeout=30)
    assert (lost.status_code, lost.json()["type"]) == (404, "urn:subsea-leak-detection:no-such-resource")
    wrong = requests.put(f"{host.url}/api/platforms", json={}, timeout=30)
    assert (wrong.status_code, wrong.headers["Allow"]) == (405, "GET, HEAD, POST")
    assert wrong.json()["invocationId"]


def test_two_slashes_are_no_path(host: FilledHost) -> None:
    """As on the platform, whatever the method: one at the end is let pass."""
    for path in ("/api//platforms", "/api/platforms//", "/api/platforms//snorre", "//api/platforms"):
        for method in ("GET", "PUT"):
            assert requests.request(method, host.url + path, timeout=30).status_code == 404, (method, path)
    assert requests.get(f"{host.url}/api/platforms/", timeout=30).status_code == 200


def test_head_is_answered_wherever_get_is(host: FilledHost) -> None:
    """With the headers of GET, and nothing after them."""
    for path in (
        "api/platforms",
        "api/sensors/snorre-w-1/tsd",
        "api/health",
        "api/docs",
        "overview",
        "api/platforms/none",
    ):
        got = requests.get(f"{host.url}/{path}", timeout=30)
        head = requests.head(f"{host.url}/{path}", timeout=30)
        assert (head.status_code, head.content) == (got.status_code, b""), path
        assert head.headers.get("Content-Type") == got.headers.get("Content-Type"), path
        if path != "api/health":  # which tells the time
            assert head.headers.get("ETag") == got.headers.get("ETag"), path
    assert requests.head(f"{host.url}/api/templates/snorre-w/simulate", timeout=30).status_code == 405


def test_what_only_some_may_see_is_for_no_shared_cache(host: FilledHost) -> None:
    """What anyone may see may be kept anywhere; a problem nowhere. Lists and series say that they come in two forms."""

    def headers(path: str, **asked: str) -> dict[str, str]:
        return dict(requests.get(f"{host.url}/{path}", headers=asked, timeout=30).headers)

    for path in ("api/platforms", "overview", "api/sensors/snorre-w-1/tsd"):
        assert headers(path)["Cache-Control"] == "private, no-cache"
    assert headers("api/docs")["Cache-Control"] == "no-cache"
    assert headers("api/platforms/none")["Cache-Control"] == "no-store"
    for path in ("api/sensors/snorre-w-1/tsd", "api/platforms"):
        for accept in ("text/csv", "application/json"):
            found = headers(path, Accept=accept)
            assert "Accept" in found["Vary"].split(", ")
            assert found["Content-Type"].startswith(accept)
    assert "Accept" not in headers("api/platforms/snorre").get("Vary", "").split(", ")


def test_pages_pass_over_parameters_that_others_add(host: FilledHost) -> None:
    """Mail programs and portals add some; a misspelt filter of the API is an error all the same."""
    for path in ("overview", "templates/snorre-w", "sensors/snorre-w-1"):
        assert requests.get(f"{host.url}/{path}?utm_source=mail&fbclid=1", timeout=30).status_code == 200
    assert requests.get(f"{host.url}/api/platforms?utm_source=mail", timeout=30).status_code == 400


def test_a_page_of_another_site_changes_nothing(host: FilledHost) -> None:
    """A form without a body asks nobody first."""
    headers = {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"}
    url = f"{host.url}/api/sensors/snorre-w-1/baseline/rebuild"
    assert requests.post(url, headers=headers, timeout=30).status_code == 403
    assert requests.get(f"{host.url}/api/platforms", headers=headers, timeout=30).status_code == 200


def test_a_body_comes_with_its_length(host: FilledHost) -> None:
    """The platform passes no body that comes in chunks: the caller is told what is missing, not that JSON is bad."""
    before = host.snapshot()
    headers = {"Content-Type": "application/json"}
    for method, path in (
        ("PATCH", "sensors/snorre-w-1"),
        ("POST", "platforms"),
        ("POST", "templates/snorre-w/simulate"),
    ):
        url = f"{host.url}/api/{path}"
        answer = requests.request(method, url, data=iter([b'{"x":', b" 1}"]), headers=headers, timeout=30)
        kind = answer.headers["Content-Type"]
        host.contract.check(host.contract.find(method, f"/{path}"), answer.status_code, kind, answer.json())
        assert (answer.status_code, answer.json()["type"]) == (411, "urn:subsea-leak-detection:length-required")
        assert "Content-Length" in answer.json()["detail"]
        assert requests.request(method, url, data=b"", headers=headers, timeout=30).status_code in (400, 415)
    assert host.snapshot() == before
    assert host.ask("GET", "sensors", query={"platform": "", "pinned": ""}).ok, "empty: as if not given"


def test_who_asks_too_often_waits(azurite: Azurite, unique: str, tmp_path: Path) -> None:
    """A bound on requests per minute is kept, and says when to come again."""
    with filled_host(azurite.connection_string, unique, tmp_path, HTTP__MAX_REQUESTS_PER_MINUTE="5") as busy:
        answers = [busy.ask("GET", "platforms") for _ in range(8)]
    assert [answer.status_code for answer in answers[:4]] == [200] * 4
    late = answers[-1]
    assert (late.status_code, late.json()["type"]) == (429, "urn:subsea-leak-detection:too-many-requests")
    assert int(late.headers["Retry-After"]) > 0


def test_assets_are_there_and_nothing_else_is(host: FilledHost) -> None:
    """Those of packages were put there by `make setup`; a page is no asset, and no path is made of a name."""
    for name in ASSETS:
        answer = requests.get(f"{host.url}/assets/{asset_name(name)}", timeout=30)
        assert answer.status_code == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert hashlib.sha256(answer.content).hexdigest()[:12] in answer.url
    others = ("docs.html", "vendor", "local.settings.json", "live.js", "live.000000000000.js", "none.000000000000.js")
    for name in (*others, asset_name("live.js").replace("live", "times")):
        answer = requests.get(f"{host.url}/assets/{name}", timeout=30)
        assert answer.status_code in (400, 404)
        assert "immutable" not in answer.headers.get("Cache-Control", "")
    own = {path.name for path in STATIC.iterdir()} - {"docs.html", "vendor"}
    assert own == {name for name, (path, _) in ASSETS.items() if not path.startswith("vendor/")}


IMPORTED = ("api.js", "charts.js", "moment-fields.js", "times.js")


def test_assets_name_each_other_as_they_are_served() -> None:
    """Scripts import scripts, and the documentation loads what it shows, by names with the hash of their content."""
    served = {asset_name(name) for name in ASSETS}
    imported = {found for name in SCRIPTS for found in re.findall(rb'from "\./([^"]+)"', asset(asset_name(name))[0])}
    assert {found.decode() for found in imported} == {asset_name(name) for name in IMPORTED}
    loaded = {found.decode() for found in re.findall(rb'"\.\./assets/([^"]+)"', page("docs"))}
    assert len(loaded) == 6
    assert loaded < served


def test_an_asset_of_other_content_has_another_name(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """So have the scripts that import it; and the page stands where a package's file is not there."""
    for name in SCRIPTS:
        (tmp_path / name).write_bytes((STATIC / name).read_bytes())
    before = {name: asset_name(name) for name in SCRIPTS}
    monkeypatch.setattr(assets, "STATIC", tmp_path)
    with (tmp_path / "times.js").open("a") as script:
        script.write("// more\n")
    caches = (assets.asset_name, assets._content)
    try:
        for one in caches:
            one.cache_clear()
        changed = {name for name in SCRIPTS if asset_name(name) != before[name]}
        importing = {name for name in SCRIPTS if b'"./times.js"' in (STATIC / name).read_bytes()}
        through = (b'"./charts.js"', b'"./moment-fields.js"')
        further = {name for name in SCRIPTS if any(one in (STATIC / name).read_bytes() for one in through)}
        assert changed == {"times.js", *importing, *further}
        assert {"charts.js", "live.js"} <= importing
        with pytest.raises(NotFound, match="before the app changed"):
            asset(before["times.js"])
        with pytest.raises(NotFound, match="make setup"):
            asset(asset_name("uplot.js"))
    finally:
        for one in caches:
            one.cache_clear()


def test_a_page_that_was_seen_costs_one_call_and_the_questions_how_it_is_and_what_stands(
    host: FilledHost, browser: "Browser"
) -> None:
    """What it loads beside itself is kept by the browser, and not even asked about again."""
    with browser.new_context() as context:
        seen = context.new_page()
        counts = []
        for path in ("overview", "overview", "overview#again"):
            seen.goto(f"{host.url}/{path}")
            wait_live(seen)
            seen.wait_for_load_state("networkidle")  # what was not fetched yet could not be kept
            fetched = "performance.getEntriesByType('resource').filter((one) => one.transferSize > 0).length"
            counts.append(seen.evaluate(fetched))
            seen.goto("about:blank")
        assert counts[0] >= 3
        assert counts[1:] == [2, 2]  # whether the page is current, and which alarms stand


@pytest.mark.parametrize("theme", ["dark", "light"])
def test_the_documentation_is_a_page_that_loads_nothing_from_elsewhere(
    host: FilledHost, browser: "Browser", theme: Any
) -> None:
    """In a real browser: every endpoint is shown, one can be tried, nothing hinders a person, and no request fails."""
    page = browser.new_page(color_scheme=theme)
    asked: list[str] = []
    said: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    page.on("requestfailed", lambda request: said.append(request.url))
    page.goto(f"{host.url}/api/docs")
    page.wait_for_selector(".opblock")
    assert page.locator(".opblock").count() == len(host.contract.endpoints)
    assert page.evaluate("document.documentElement.classList.contains('dark-mode')") == (theme == "dark")
    assert Visit(page).serious_findings() == []
    page.locator("#operations-Service-get_health .opblock-summary-control").click()
    assert page.url.endswith("#/Service/get_health")
    page.get_by_role("button", name="Try it out").click()
    page.get_by_role("button", name="Execute").click()
    page.wait_for_selector(".live-responses-table")
    assert "degraded" in page.locator(".live-responses-table").inner_text()
    assert Visit(page).serious_findings() == []
    page.close()
    assert not said
    assert asked
    assert all(url.startswith((host.url, "data:")) for url in asked)

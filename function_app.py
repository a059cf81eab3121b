"""The app: registers one blueprint per trigger family. Wrong settings stop it here, all named at once."""

import azure.functions as func

from functions import api, baselines, detect, estimate, ingest, keep, notify, performance
from functions.pages import pages
from shared.settings import settings

settings()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for blueprint in (
    *(family.blueprint for family in (ingest, detect, estimate, baselines, notify, performance, keep, pages)),
    *api.BLUEPRINTS,
):
    app.register_functions(blueprint)

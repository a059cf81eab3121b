"""The app: registers one blueprint per trigger family. Wrong settings stop it here, all named at once."""

import azure.functions as func

from functions import baselines, detect, estimate, feedback, ingest, query
from shared.settings import settings

settings()

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)
for family in (ingest, detect, estimate, baselines, query, feedback):
    app.register_functions(family.blueprint)

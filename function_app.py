"""The Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from functions import capture, integrations, synchronise

app = func.FunctionApp()
for part in (integrations, synchronise, capture):
    app.register_functions(part.blueprint)

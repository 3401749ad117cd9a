"""The Functions app: registers the blueprints, nothing else."""

import azure.functions as func

from functions import capture, event_hubs, health, integrations, onboarding, synchronise

app = func.FunctionApp()
for part in (integrations, onboarding, event_hubs, health, synchronise, capture):
    app.register_functions(part.blueprint)
